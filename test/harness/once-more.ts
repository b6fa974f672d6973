/**
 * Tests of real fleets run on machines that others use too: where a neighbour holds a process up for seconds a test may fail although
 * nothing is wrong. Such a test is run once more. What failed the first time is printed, and `scripts/test` names every test that
 * passed only then: a race in the product shows there.
 */
const { testPath = '' } = expect.getState();
if (/\/test\/(e2e|sandbox|workflows)\//.test(testPath)) jest.retryTimes(1, { logErrorsBeforeRetry: true });

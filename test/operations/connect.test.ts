import { temporalOptions } from '../../operations';

/** What is understood of the standard variables of Temporal. */
const before = process.env['TEMPORAL_ADDRESS'];
afterEach(() => {
  if (before === undefined) delete process.env['TEMPORAL_ADDRESS'];
  else process.env['TEMPORAL_ADDRESS'] = before;
});

it.each(['', ' ', 'http://localhost:7233', 'local host:7233'])('"%s" is no address', (address) => {
  process.env['TEMPORAL_ADDRESS'] = address;
  expect(() => temporalOptions()).toThrow(`TEMPORAL_ADDRESS (or the Temporal profile): "${address}" is not`);
});

it.each(['localhost:7233', '127.0.0.1:7233', '[::1]:7233', 'dns:///temporal.example:7233', 'temporal'])(
  '"%s" is one',
  (address) => {
    process.env['TEMPORAL_ADDRESS'] = address;
    expect(temporalOptions().connectionOptions.address).toBe(address);
  },
);

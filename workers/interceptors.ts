import type { Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptorsFactory } from '@temporalio/worker';
import { ERRORS, SwitchoverError } from '../core/errors';

/** Turns what activities throw into what workflows understand: the code as the failure's type, retried where the error table says so. */
class ErrorTable implements ActivityInboundCallsInterceptor {
  constructor(private readonly context: Context) {}

  execute: NonNullable<ActivityInboundCallsInterceptor['execute']> = async (input, next) => {
    try {
      return await next(input);
    } catch (error) {
      if (!(error instanceof SwitchoverError)) throw error;
      if (this.context.cancellationSignal.aborted) throw new CancelledFailure(error.message);
      const { code, message, details } = error;
      throw ApplicationFailure.create({
        message,
        type: code,
        nonRetryable: !ERRORS[code].retryable,
        details: details === undefined ? [] : [details],
      });
    }
  };
}

export const activityInterceptors: ActivityInterceptorsFactory = (context) => ({
  inbound: new ErrorTable(context),
});

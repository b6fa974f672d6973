/**
 * Loaded once a worker thread, before any workflow. The SDK notes the stack of every promise a workflow makes, frame by
 * frame through the source map: at the usual ten frames that is half the time of an activation. One frame still says
 * where an error was thrown.
 */
Error.stackTraceLimit = 1;

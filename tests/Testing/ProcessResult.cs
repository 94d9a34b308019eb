namespace Archiver.Testing;

/// <summary>How a process ended.</summary>
/// <param name="ExitCode">Its exit code; 128 + the signal's number when a signal ended it.</param>
/// <param name="Output">All of its stdout.</param>
/// <param name="Error">All of its stderr.</param>
public sealed record ProcessResult(int ExitCode, string Output, string Error);

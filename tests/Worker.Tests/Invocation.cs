using Archiver.Testing;
using Archiver.Worker.Configuration;

namespace Archiver.Worker.Tests;

/// <summary>One invocation of <c>archiver</c> in this process: it shares the process with others, and should not notice.</summary>
internal sealed class Invocation : IAsyncDisposable
{
    /// <summary>Within which a cancelled invocation must have ended.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(1);

    private readonly CapturedStream _output = new(),
        _error = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<int> _completion;

    private Invocation(IReadOnlyList<string> arguments, ProcessEnvironment environment, Stream input) =>
        // Away from the test's own context, as a process would be, so that a verb that blocks does not hold the test's thread.
        _completion = Task.Run(() => ArchiverApplication.RunAsync([.. arguments], environment, input, _output, _error, _stop.Token));

    /// <summary>What it has written to stderr so far.</summary>
    public string Error => _error.ToString();

    /// <summary>Whether it has ended.</summary>
    public bool HasEnded => _completion.IsCompleted;

    /// <summary>Starts it.</summary>
    /// <param name="arguments">Verb and options.</param>
    /// <param name="variables">All its environment variables.</param>
    /// <param name="input">Its stdin; empty unless told.</param>
    /// <param name="folder">Its working folder; the temporary one unless told.</param>
    public static Invocation Start(
        IReadOnlyList<string> arguments,
        IReadOnlyDictionary<string, string> variables,
        Stream? input = null,
        string? folder = null
    ) => new(arguments, new ProcessEnvironment(variables, folder ?? Path.GetTempPath(), ErrorIsTerminal: false), input ?? Stream.Null);

    /// <summary>Waits for its end; cancelling stops it.</summary>
    /// <exception cref="TimeoutException">It went on although it was stopped.</exception>
    public async Task<ProcessResult> WaitForEndAsync(CancellationToken cancellationToken)
    {
        try
        {
            return new(await _completion.WaitAsync(cancellationToken), _output.ToString(), Error);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await StopAsync();
            throw;
        }
    }

    /// <summary>Stops it as a signal would, and waits for its end.</summary>
    /// <exception cref="TimeoutException">It goes on all the same.</exception>
    public async Task<ProcessResult> StopAsync()
    {
        await _stop.CancelAsync();
        return new(await _completion.WaitAsync(Grace), _output.ToString(), Error);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }
}

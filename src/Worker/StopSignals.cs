using System.Runtime.InteropServices;

namespace Archiver.Worker;

/// <summary>
/// Signals that ask the process to stop; a second one changes nothing, because stopping takes as long as the batch in hand.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    // Not disposed: a signal may come while the process ends, and its handler must find this.
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    public StopSignals() =>
        _registrations = [
            .. new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT }.Select(signal =>
                PosixSignalRegistration.Create(signal, Stop)
            ),
        ];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _stop.Cancel();
    }
}

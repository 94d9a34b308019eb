using System.Globalization;
using System.Reflection;
using Microsoft.Testing.Platform.Extensions;
using Microsoft.Testing.Platform.Extensions.Messages;

namespace Archiver.Testing.Progress;

/// <summary>
/// Writes a line as each test begins and ends into the folder that ARCHIVER_TEST_PROGRESS names, where <c>test.sh</c> counts them while the
/// run goes on: the runner itself is silent until the end. Tab-separated: state, seconds, class, id of the test.
/// </summary>
internal sealed class ProgressLog(string? folder) : IDataConsumer, IDisposable
{
    /// <summary>Names the folder.</summary>
    public const string Variable = "ARCHIVER_TEST_PROGRESS";

    // One file a process: .NET appends by position, so that two processes would write over each other's lines.
    private StreamWriter? _writer;

    public string Uid => nameof(ProgressLog);

    public string Version => "1";

    public string DisplayName => Uid;

    public string Description => $"Progress for test.sh, where {Variable} is set.";

    public Type[] DataTypesConsumed { get; } = [typeof(TestNodeUpdateMessage)];

    public Task<bool> IsEnabledAsync() => Task.FromResult(!string.IsNullOrEmpty(folder));

    /// <summary>Called for one message after the other.</summary>
    public async Task ConsumeAsync(IDataProducer dataProducer, IData value, CancellationToken cancellationToken)
    {
        if (value is not TestNodeUpdateMessage { TestNode: var test } || StateOf(test) is not { } state)
            return;
        _writer ??= new StreamWriter(Path.Combine(folder!, Assembly.GetEntryAssembly()!.GetName().Name!)) { AutoFlush = true };
        var seconds = test.Properties.SingleOrDefault<TimingProperty>()?.GlobalTiming.Duration.TotalSeconds ?? 0;
        var type = test.Properties.SingleOrDefault<TestMethodIdentifierProperty>()?.TypeName;
        await _writer.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"{state}\t{seconds:0.000}\t{type}\t{test.Uid.Value}").AsMemory(),
            cancellationToken
        );
    }

    public void Dispose() => _writer?.Dispose();

    private static string? StateOf(TestNode test) =>
        test.Properties.SingleOrDefault<TestNodeStateProperty>() switch
        {
            InProgressTestNodeStateProperty => "running",
            PassedTestNodeStateProperty => "passed",
            SkippedTestNodeStateProperty => "skipped",
            DiscoveredTestNodeStateProperty or null => null,
            _ => "failed",
        };
}

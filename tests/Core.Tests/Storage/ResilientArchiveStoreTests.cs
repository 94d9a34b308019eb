using Archiver.Core.Diagnostics;
using Archiver.Core.Settings;
using Archiver.Core.Storage;
using Microsoft.Extensions.Logging;

namespace Archiver.Core.Tests.Storage;

public sealed class ResilientArchiveStoreTests
{
    private static readonly ObjectName Name = new("a/b.json.gz");

    private readonly ImpatientTime _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Goes_on_after_failures_that_pass()
    {
        var inner = new FailingStore(Transient(), Transient(), Transient());

        var head = await Around(inner).HeadAsync(Name, Token);

        Assert.Null(head);
        Assert.Equal(4, inner.Calls);
    }

    [Fact]
    public async Task Removes_again_only_what_may_still_go()
    {
        var (locked, busy) = (
            new StorageException(StorageFailure.Permanent, "locked"),
            new StorageException(StorageFailure.Transient, "busy")
        );
        var inner = new FailingStore
        {
            Removals = new([new(new Dictionary<string, StorageException> { ["b"] = locked, ["c"] = busy }, null)]),
        };

        var outcome = await Around(inner).DeleteAllVersionsAsync([new("a"), new("b"), new("c")], Token);

        Assert.Equal(["a b c", "c"], inner.Removed);
        Assert.Equal(("b", locked), (Assert.Single(outcome.Failures).Key, outcome.Failures["b"]));
        Assert.Null(outcome.Outage);
    }

    [Fact]
    public async Task Says_what_is_left_of_a_removal_when_the_budget_is_spent()
    {
        var busy = new StorageException(StorageFailure.Transient, "busy");
        var answer = new RemovalOutcome(new Dictionary<string, StorageException> { ["b"] = busy }, busy);
        var inner = new FailingStore { Removals = new(Enumerable.Repeat(answer, 1000)) };

        var outcome = await Around(inner).DeleteAllVersionsAsync([new("a"), new("b")], Token);

        Assert.Equal((busy, busy), (outcome.Failures["b"], outcome.Outage));
        Assert.Single(outcome.Failures);
        Assert.InRange(inner.Removed.Count, 3, 999);
        Assert.All(inner.Removed.Skip(1), r => Assert.Equal("b", r));
    }

    [Theory]
    [InlineData(StorageFailure.Permanent)]
    [InlineData(StorageFailure.NeedsThawing)]
    public async Task Passes_a_permanent_failure_at_once(StorageFailure failure)
    {
        var inner = new FailingStore(new StorageException(failure, "no"));

        var error = await Assert.ThrowsAsync<StorageException>(() => Around(inner).OpenAsync(Name, Token));

        Assert.Equal(failure, error.Failure);
        Assert.Equal(1, inner.Calls);
        Assert.Equal(TimeSpan.Zero, _time.Elapsed);
    }

    [Fact]
    public async Task Does_not_repeat_what_is_not_the_stores_failure()
    {
        var inner = new FailingStore(new InvalidOperationException("a bug"));

        await Assert.ThrowsAsync<InvalidOperationException>(() => Around(inner).OpenAsync(Name, Token));

        Assert.Equal(1, inner.Calls);
    }

    [Fact]
    public async Task Gives_up_with_the_last_failure_when_the_budget_is_spent()
    {
        var failures = Enumerable.Range(0, 1000).Select(i => Transient($"failure {i}")).ToArray();
        var inner = new FailingStore(failures);

        var error = await Assert.ThrowsAsync<StorageException>(() => Around(inner, TimeSpan.FromMinutes(10)).OpenAsync(Name, Token));

        Assert.Equal($"failure {inner.Calls - 1}", error.Message);
        Assert.InRange(_time.Elapsed, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
        Assert.InRange(inner.Calls, 20, 200);
    }

    [Fact]
    public async Task The_budget_begins_with_the_first_failure_not_with_the_call()
    {
        var calls = 0;
        var inner = new FailingStore(Transient())
        {
            BeforeEachCall = () => _time.Pass(calls++ == 0 ? TimeSpan.FromHours(1) : TimeSpan.Zero),
        };

        await Around(inner, TimeSpan.FromSeconds(30)).HeadAsync(Name, Token);

        Assert.Equal(2, inner.Calls);
    }

    [Fact]
    public async Task Each_operation_has_its_own_budget()
    {
        var inner = new FailingStore(Transient(), Transient());
        var store = Around(inner, TimeSpan.FromSeconds(30));
        await store.HeadAsync(Name, Token);
        _time.Pass(TimeSpan.FromHours(1));

        await store.HeadAsync(Name, Token);

        Assert.Equal(4, inner.Calls);
    }

    [Fact]
    public async Task Cancellation_ends_the_waiting()
    {
        using var source = new CancellationTokenSource();
        var inner = new FailingStore(Enumerable.Range(0, 1000).Select(_ => Transient()).ToArray()) { BeforeEachCall = source.Cancel };

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Around(inner).HeadAsync(Name, source.Token));

        Assert.Equal(1, inner.Calls);
    }

    [Fact]
    public async Task A_listing_that_broke_goes_on_without_gap_or_repetition()
    {
        // In UTF-8 the emoji sorts after U+FF5E, in UTF-16 before it.
        string[] keys = ["a", "b", "c", "\uFF5E", "\U0001F600", "\U0001F600z"];
        var inner = new FailingStore(Transient(), Transient()) { Keys = keys, FailListingAfter = 5 };

        var listed = new List<string>();
        await foreach (var item in Around(inner).ListAsync("", Token))
            listed.Add(item.Key);

        Assert.Equal(keys, listed);
        Assert.Equal(3, inner.Calls);
    }

    [Fact]
    public async Task Tells_of_each_retry_once()
    {
        var log = new CapturedLog();
        var store = new ResilientArchiveStore(
            new FailingStore(Transient("the cable"), Transient("the cable")),
            new RetrySettings(),
            _time,
            log
        );

        await store.PutIfAbsentAsync("k", null!, null!, Token);

        Assert.Equal(2, log.Lines.Count);
        Assert.StartsWith("Storage put failed, attempt 1, again in ", log.Lines[0], StringComparison.Ordinal);
        Assert.EndsWith(" ms: the cable", log.Lines[0], StringComparison.Ordinal);
    }

    private static StorageException Transient(string message = "away") => new(StorageFailure.Transient, message);

    private ResilientArchiveStore Around(IArchiveStore inner, TimeSpan? budget = null) =>
        new(inner, new RetrySettings { Budget = budget ?? TimeSpan.FromMinutes(10) }, _time);

    private sealed class CapturedLog : ILogger
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        ) => Lines.Add(formatter(state, exception));
    }
}

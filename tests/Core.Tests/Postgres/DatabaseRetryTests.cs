using Archiver.Core.Settings;
using Archiver.Core.Sources;
using Archiver.Core.Tests.Storage;

namespace Archiver.Core.Tests.Postgres;

public sealed class DatabaseRetryTests
{
    private readonly ImpatientTime _time = new();
    private int _attempts;

    [Fact]
    public async Task Ends_when_the_budget_has_passed_however_long_each_attempt_takes()
    {
        var retry = new DatabaseRetry(new RetrySettings { Budget = TimeSpan.FromMinutes(10) }, _time);

        await Assert.ThrowsAsync<IOException>(() =>
            retry.ExecuteAsync(token => FailAsync(TimeSpan.FromMinutes(1)), TestContext.Current.CancellationToken)
        );

        Assert.InRange(_time.Elapsed, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(13));
    }

    [Fact]
    public async Task Tries_some_times_whatever_the_budget()
    {
        var retry = new DatabaseRetry(new RetrySettings { Budget = TimeSpan.FromMilliseconds(1) }, _time);

        await Assert.ThrowsAsync<IOException>(() =>
            retry.ExecuteAsync(token => FailAsync(TimeSpan.FromSeconds(1)), TestContext.Current.CancellationToken)
        );

        Assert.Equal(7, _attempts);
    }

    private Task<int> FailAsync(TimeSpan after)
    {
        _attempts++;
        _time.Pass(after);
        throw new IOException("The connection broke.");
    }
}

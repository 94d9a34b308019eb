using System.Globalization;
using Archiver.Core.Postgres;
using Npgsql;

namespace Archiver.Core.Selection;

/// <summary>One session that a policy takes. Times are PostgreSQL's own text, so that BC dates and microseconds pass unchanged.</summary>
internal sealed record SelectedSession
{
    /// <summary>How many columns <see cref="Read"/> reads, from the first on.</summary>
    public const int Columns = 10;

    /// <summary>The session key as text.</summary>
    public required string Key { get; init; }

    public string? ExternalId { get; init; }

    public string? User { get; init; }

    public string? Created { get; init; }

    /// <summary>
    /// The oldest of its creation, or of its activity columns where that is unknown, and its messages' times; null where all columns are
    /// unknown.
    /// </summary>
    public string? FirstActivity { get; init; }

    /// <summary>The same in seconds, to compare with.</summary>
    public double FirstActivityEpoch { get; init; } = double.NegativeInfinity;

    /// <summary>The youngest of its activity columns and its messages' times; null where a column is unknown.</summary>
    public string? LastActivity { get; init; }

    /// <summary>The same in seconds, to compare with.</summary>
    public double LastActivityEpoch { get; init; } = double.PositiveInfinity;

    /// <summary><c>yyyy/MM</c> of the creation, or of the oldest activity where creation is unknown: part of the object key.</summary>
    public required string Month { get; init; }

    /// <summary>1 for the first archive of the session; earlier attempts count too.</summary>
    public int Generation { get; init; }

    /// <summary>Columns named in Keep, as a JSON object; null when none are.</summary>
    public string? Keep { get; init; }

    /// <summary>Rows of all its tables, as far as they have been counted.</summary>
    public long Rows { get; init; }

    /// <summary>Rows of the child named messages, where they were asked for.</summary>
    public long Messages { get; init; }

    /// <summary>About how many bytes its values have as text, as far as they have been counted.</summary>
    public long Bytes { get; init; }

    /// <summary>
    /// When it was created; null where that is unknown. A time that is no date of ours, such as one before Christ or -infinity, is long
    /// ago.
    /// </summary>
    public DateTimeOffset? Began =>
        Created is not { } text ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at
        : DateTimeOffset.MinValue;

    /// <summary>
    /// What its row says, by a row of <see cref="SelectionStatements"/>; what the ledger and its other rows add is not known.
    /// </summary>
    public static SelectedSession Read(NpgsqlDataReader row) =>
        new()
        {
            Key = row.GetString(0),
            ExternalId = row.TextOrNull(1),
            User = row.TextOrNull(2),
            Created = row.TextOrNull(3),
            LastActivity = row.TextOrNull(4),
            LastActivityEpoch = row.GetDouble(5),
            FirstActivity = row.TextOrNull(6),
            FirstActivityEpoch = row.GetDouble(7),
            Month = row.GetString(8),
            Keep = KeptColumns.ForJsonb(row.TextOrNull(9)),
        };

    /// <summary>The session with the time of a message, if that is older or younger than what its own columns say.</summary>
    public SelectedSession WithTime(string? time, double epoch) =>
        time is null
            ? this
            : this with
            {
                FirstActivity = IsFirst(epoch) ? time : FirstActivity,
                FirstActivityEpoch = IsFirst(epoch) ? epoch : FirstActivityEpoch,
                LastActivity = IsLast(epoch) ? time : LastActivity,
                LastActivityEpoch = IsLast(epoch) ? epoch : LastActivityEpoch,
            };

    private bool IsFirst(double epoch) => FirstActivity is not null && epoch < FirstActivityEpoch;

    private bool IsLast(double epoch) => LastActivity is not null && epoch > LastActivityEpoch;
}

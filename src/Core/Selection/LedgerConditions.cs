using Archiver.Core.Holds;
using Archiver.Core.Ledger;
using Archiver.Core.Policies;
using Archiver.Core.Postgres;
using Archiver.Core.Settings;
using Archiver.Core.Sources;

namespace Archiver.Core.Selection;

/// <summary>
/// What keeps a session out of a run although its policy takes it: the shard, the ledger, and rows elsewhere that point to it.
/// </summary>
internal sealed class LedgerConditions(RunContext run)
{
    /// <summary>
    /// Sessions of the run's shard that the ledger does not keep out: held, restored lately, failing or quarantined, or stored and waiting
    /// for their delete.
    /// </summary>
    public string Sql(SessionKey key, SqlParameters parameters) => Condition.All(Of(key, parameters));

    /// <summary>The same by the reason that each excludes a session for.</summary>
    /// <param name="key">The session's key.</param>
    /// <param name="parameters">Takes the values.</param>
    /// <param name="everyReference">
    /// Asks also for rows that point to the session where no index finds them: affordable for one session.
    /// </param>
    public IReadOnlyList<Condition> Of(SessionKey key, SqlParameters parameters, bool everyReference = false)
    {
        var source = Source(parameters);
        var grace = parameters.Add(PgParameter.Instant(run.Cutoffs.Before(run.Policy.RestoreGrace)));
        // First of all: it costs one hash, and leaves the others a part of the sessions.
        IEnumerable<Condition> shard = run.Shard.IsWhole ? [] : [new("other shard", "shard", run.Shard.Sql(key.Id))];
        List<Condition> conditions = !run.HasLedger
            ? [.. shard]
            :
            [
                .. shard,
                new(
                    "restored lately",
                    "ledger",
                    $"""
                    NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = {source} AND a.session_id = {key}::text
                      AND a.state = 'restored' AND a.restored_at > {grace})
                    """
                )
                {
                    Date = more =>
                        $"(SELECT max(a.restored_at) FROM archiver.archives AS a WHERE a.source = {Source(more)} AND a.session_id = "
                        + $"{key}::text AND a.state = 'restored')",
                    Before = run.Cutoffs.Before(run.Policy.RestoreGrace),
                },
                new(
                    "quarantined",
                    "ledger",
                    $"""
                    NOT EXISTS (SELECT FROM archiver.quarantine AS q WHERE q.source = {source} AND q.session_id = {key}::text
                      AND (q.quarantined_at IS NOT NULL OR q.next_attempt_at > {parameters.Add(PgParameter.Instant(run.Cutoffs.Now))}))
                    """
                )
                {
                    Date = more =>
                        $"(SELECT q.next_attempt_at FROM archiver.quarantine AS q WHERE q.source = {Source(more)} AND q.session_id "
                        + $"= {key}::text AND q.quarantined_at IS NULL)",
                    Before = run.Cutoffs.Now,
                },
                new("held", "ledger", HoldCondition.NotHeld(run.Source, run.Shape, key, source, parameters)),
            ];
        // What a user deleted goes, copy or not.
        if (run.HasLedger && run.Policy.Action != PolicyAction.Purge)
            conditions.Add(
                new(
                    "stored",
                    "ledger",
                    $"""
                    NOT EXISTS (SELECT FROM archiver.archives AS a WHERE a.source = {source} AND a.session_id = {key}::text
                      AND a.state = 'stored')
                    """
                )
            );
        return
        [
            .. conditions
                .Concat(NotReferenced(key, conditions, parameters, everyReference))
                .Select(c => c with { IsBeyondStatistics = true }),
        ];
    }

    /// <summary>
    /// What rows of other sessions or tables point to cannot go while these stay; sessions that the policy takes as well do not stay. Asked
    /// only where an index answers: the export asks the rest once a batch.
    /// </summary>
    private IEnumerable<Condition> NotReferenced(SessionKey key, IReadOnlyList<Condition> ledger, SqlParameters parameters, bool every)
    {
        if (
            run.Policy
            is not (
                { Action: PolicyAction.Archive, TakesParts: false, RowsStay: false }
                or { Action: PolicyAction.Purge, Scope: PurgeScope.Sessions }
            )
        )
            yield break;
        var references = new ReferenceSql(run.Source.Map, run.Shape);
        foreach (var reference in run.Shape.References.Where(r => r.Readable && (r.Indexed || every)))
            yield return new(
                DropReason.Referenced,
                $"{PgIdentifier.Quote(reference.Name)} of {reference.From}",
                $"NOT {references.Exists(reference, key, Stays)}"
            );

        string Stays(SessionKey other) =>
            $"""
                {other} IS DISTINCT FROM {key} AND NOT EXISTS (
                  SELECT FROM {run.Source.Map.Session.Sql} AS s
                  WHERE {run.Shape.KeyOf(run.Source.Map, "s").Is(other)}
                    AND {new EligibilityPredicate(run.Source, run.Shape, run.Policy, run.Cutoffs).Sql(parameters)} AND {Condition.All(
                    ledger
                )})
                """;
    }

    private string Source(SqlParameters parameters) => parameters.Add(PgParameter.Text(run.Source.Name));
}

using System.CommandLine;
using Archiver.Core.Diagnostics;
using Archiver.Core.Reading;

namespace Archiver.Worker.Commands;

/// <summary>How and where <c>restore</c> puts sessions back.</summary>
internal static class RestoreChoices
{
    private static readonly Option<string?> IntoSchema = new("--into-schema")
    {
        Description = "Into tables of the same names in this schema",
        HelpName = "schema",
    };

    private static readonly Option<ConflictMode> OnConflict = new("--on-conflict")
    {
        Description =
            "A session that is in the tables already: fail refuses it; skip counts it when its rows are equal and refuses it "
            + "otherwise; replace archives the live version first",
        HelpName = "fail|skip|replace",
        CustomParser = result =>
        {
            // By its names: Enum.TryParse takes numbers, too, and lists.
            foreach (var mode in Enum.GetValues<ConflictMode>())
            {
                if (mode.ToString().Equals(result.Tokens[0].Value, StringComparison.OrdinalIgnoreCase))
                    return mode;
            }
            result.AddError($"--on-conflict must be fail, skip or replace, but is '{result.Tokens[0].Value}'.");
            return default;
        },
    };

    private static readonly Option<bool> Reactivate = new("--reactivate")
    {
        Description = "They count as used now: activity now, not archived, active, not deleted, no expiry",
    };

    private static readonly Option<DateTimeOffset?> Expires = VerbOptions.Instant("--expires", "With --reactivate: expire then");

    private static readonly Option<bool> DisableTriggers = new("--disable-triggers")
    {
        Description =
            "No trigger fires; foreign keys are checked by the restore itself. Needs a superuser or SET on session_replication_role",
    };

    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Try everything, and roll it back" };

    private static readonly Option<string[]> Map = new("--map")
    {
        Description = "A column that has another name now: old=new or table.old=new",
        HelpName = "old=new",
    };

    private static readonly Option<string[]> DropColumn = new("--drop-column")
    {
        Description = "Give up the archived values of a column that is gone: column, table.column or table.*",
        HelpName = "column",
    };

    private static readonly Option<string[]> AcceptLoss = new("--accept-loss")
    {
        Description = "A column of another type today may lose what the database's cast to that type loses: column or table.column",
        HelpName = "column",
    };

    public static void AddTo(Command command)
    {
        foreach (
            var option in new Option[] { IntoSchema, OnConflict, Reactivate, Expires, DisableTriggers, DryRun, Map, DropColumn, AcceptLoss }
        )
            command.Options.Add(option);
    }

    /// <exception cref="ArchiverException">Options that do not go together; kind Configuration.</exception>
    public static RestoreOptions Apply(ParseResult parse, RestoreOptions selection)
    {
        if (parse.GetValue(Expires) is not null && !parse.GetValue(Reactivate))
            throw new ArchiverException(FailureKind.Configuration, "--expires goes with --reactivate.");
        return selection with
        {
            IntoSchema = parse.GetValue(IntoSchema),
            OnConflict = parse.GetValue(OnConflict),
            Reactivate = parse.GetValue(Reactivate),
            ExpiresAt = parse.GetValue(Expires),
            DisableTriggers = parse.GetValue(DisableTriggers),
            DryRun = parse.GetValue(DryRun),
            Maps = parse.GetValue(Map) ?? [],
            DropColumns = parse.GetValue(DropColumn) ?? [],
            AcceptLoss = parse.GetValue(AcceptLoss) ?? [],
        };
    }
}

using Xunit.Sdk;
using Xunit.v3;

namespace Archiver.Testing;

/// <summary>
/// Starts the classes that take long before all others, which then fill the other core: begun last, each would run alone at the end.
/// Use it as <c>[assembly: TestCollectionOrderer(typeof(LongestFirst))]</c>; the names are those that test.sh lists as the slowest.
/// </summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long =
    [
        // Of the database and the store.
        ".RoundTripTests ",
        ".StoreFaultTests ",
        ".ModelTests ",
        ".SchemaDriftTests ",
        ".SelectionFormPlanTests ",
        ".SelectionPlanTests ",
        ".InterruptedRestoreTests ",
        ".DatabaseFaultTests ",
        ".FullDiskTests ",
        ".HiddenVersionTests ",
        ".LeaseTests ",
        ".StandbyExportTests ",
        // Of verbs in the test process.
        ".PresetTests ",
        ".KeyTypeTests ",
        ".EmptyAnswerTests ",
        ".UserSpellingTests ",
        ".InitDatabaseTests ",
        ".LockedTableTests ",
        ".TimeFormTests ",
        ".RestoreRehearsalVerbTests ",
        ".QueryVerbTests ",
        ".RowlessSessionTests ",
        ".InitRoundTripTests ",
        ".PartRestoreTests ",
        ".RestoreDriftVerbTests ",
        ".CompositeKeyTests ",
        ".RestoreBesideVerbTests ",
        ".RestoreEdgeVerbTests ",
        ".HarmlessAdviceTests ",
        ".HoldVerbTests ",
        // Of processes: test.sh still makes their executable when the first tests begin.
        ".PageTests ",
        ".ClusterRunTests ",
        ".LongProof ",
        "KillTests ",
        ".LargeSessionTests ",
        ".RestoredBackupTests ",
        ".PinnedSettingsTests ",
        ".RunOutageTests ",
        ".Proof.",
        ".ClusterTests ",
        ".TriggerTests ",
        ".PageActionTests ",
        ".RunVerbTests ",
        ".ChangingQueryTests ",
        ".HostileQueryTests ",
        "CompositeKey",
        ".SafetyTests ",
        ".ReadmeWalkthroughTests ",
        ".TranscriptTests ",
        ".RouteTests ",
    ];

    /// <summary>The long ones, then the others, each in the order they came in.</summary>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection => [.. testCollections.OrderBy(c => Place(c))];

    private static int Place(ITestCollection collection) =>
        Array.FindIndex(Long, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)) is >= 0 and var place
            ? place
            : Long.Length;
}

namespace Archiver.Core.Inspection;

/// <summary>What the archiver does with a mapped column, and so which types it may have.</summary>
internal enum ColumnUse
{
    /// <summary>Names a row; compared with text that the ledger keeps.</summary>
    Key,

    /// <summary>Points to a parent's key; its type is judged together with that one's.</summary>
    Link,

    /// <summary>Compared with a cut-off.</summary>
    Time,

    /// <summary>A flag with a time beside it.</summary>
    Since,

    /// <summary>Set to a text.</summary>
    Text,

    /// <summary>Set to true.</summary>
    Flag,

    /// <summary>Only read.</summary>
    Any,
}

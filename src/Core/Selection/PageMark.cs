namespace Archiver.Core.Selection;

/// <summary>Where a page ended: its last row's order value and key, as text.</summary>
internal sealed record PageMark(string Order, string Key);

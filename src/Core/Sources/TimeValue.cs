using Archiver.Core.Settings;

namespace Archiver.Core.Sources;

/// <summary>A mapped time of a row that is no longer in a table but in a document.</summary>
internal static class TimeValue
{
    /// <summary>As text that PostgreSQL reads as timestamptz; null where it is not set.</summary>
    /// <param name="time">The mapped time.</param>
    /// <param name="column">
    /// The text of a column's value in the document, strings without their quotes; null where it is NULL or not there.
    /// </param>
    public static string? Of(TimeColumn time, Func<string, string?> column)
    {
        if (time.At is { } at)
            return column(time.Column) == "true" ? Read(time.As, column(at)) : null;
        return Read(time.As, column(time.Column)) ?? (time.Or is { } or ? Read(time.As, column(or)) : null);
    }

    private static string? Read(TimeForm form, string? text) =>
        text is null
            ? null
            : form switch
            {
                TimeForm.Timestamp => text,
                TimeForm.Text => TextTime.Read(text),
                _ when EpochTime.Has(form) => EpochTime.Read(form, text),
                _ => UuidTime.Read(form, text),
            };
}

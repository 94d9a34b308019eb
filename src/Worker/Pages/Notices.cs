namespace Archiver.Worker.Pages;

/// <summary>
/// What a page says after an action. The URL carries a word and no text, so that a link cannot put words into the page's mouth.
/// </summary>
internal static class Notices
{
    public static string? Of(string? done) =>
        done switch
        {
            "paused" => "Paused. A run that is going on stops after the batch in hand.",
            "resumed" => "Resumed.",
            "started" => "Started. It appears among the runs; reload to see how it ends.",
            "held" => "On hold: nothing of this session is deleted, here or in the store, until the hold is removed.",
            "unheld" => "The hold is removed. What no other hold covers may be deleted again.",
            "retried" => "The next run tries the session again.",
            "restored" => "Restored: the session is in the database again.",
            "there" => "The session was in the database already, with the same rows. Nothing was changed.",
            _ => null,
        };
}

using System.Globalization;
using Archiver.Core.Ledger;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Archiver.Worker.Output;

/// <summary>A run's progress as a bar, with what is stored, read back and finished, how fast it goes and how long it still takes.</summary>
internal sealed class ProgressBar(ProgressTask task, TimeProvider time) : IProgress<RunProgress>
{
    private const int Width = 16;

    private readonly Lock _lock = new();
    private readonly long _began = time.GetTimestamp();
    private RunProgress? _last;

    /// <summary>
    /// The bar's columns; they must fit into the 80 columns of a plain terminal, since a bar that wraps is drawn once a line.
    /// </summary>
    public static ProgressColumn[] Columns(Func<ProgressBar?> bar) =>
        [new TaskDescriptionColumn(), new ProgressBarColumn { Width = Width }, new PercentageColumn(), new Words(() => bar()?.Text ?? "")];

    /// <summary>Beside the bar, such as <c>312 stored 280 verified 0/457 120/s 0:04 left</c>.</summary>
    private string Text
    {
        get
        {
            lock (_lock)
            {
                if (_last is not { Eligible: > 0 } now)
                    return "";
                var stages =
                    now.Stored > now.Finished
                        ? string.Create(CultureInfo.InvariantCulture, $"{now.Stored} stored {now.Verified} verified ")
                        : "";
                var (elapsed, share) = (time.GetElapsedTime(_began).TotalSeconds, now.Share);
                // Before there is anything to go by, a rate would be a guess.
                var speed =
                    share is 0 or 1 || elapsed < 0.5
                        ? ""
                        : string.Create(
                            CultureInfo.InvariantCulture,
                            $" {now.Eligible * share / elapsed:0}/s {Clock(elapsed * (1 - share) / share)} left"
                        );
                return string.Create(CultureInfo.InvariantCulture, $"{stages}{now.Finished}/{now.Eligible}{speed}");
            }
        }
    }

    public void Report(RunProgress value)
    {
        // Stages report at the same time, and one may come with what another has overtaken.
        lock (_lock)
        {
            if (_last is { } last && value.Share < last.Share && value.Eligible == last.Eligible)
                return;
            _last = value;
            task.Value = value.Share;
        }
    }

    private static string Clock(double seconds) =>
        TimeSpan.FromSeconds(Math.Min(Math.Ceiling(seconds), TimeSpan.FromDays(99).TotalSeconds)) is var left && left.TotalHours < 1
            ? left.ToString(@"m\:ss", CultureInfo.InvariantCulture)
            : string.Create(CultureInfo.InvariantCulture, $"{(int)left.TotalHours}:{left:mm\\:ss}");

    private sealed class Words(Func<string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(text()) { Overflow = Overflow.Crop };
    }
}

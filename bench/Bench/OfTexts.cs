namespace Archiver.Bench;

/// <summary>A measurement on a database with texts of one length, which its name says.</summary>
internal sealed class OfTexts(IMeasurement inner, Texts texts) : IMeasurement
{
    public string Name => Of(inner.Name, texts);

    public string Description => inner.Description;

    public static string Of(string name, Texts texts) => $"{name}, {texts.ToString().ToLowerInvariant()} texts";

    public async Task<IReadOnlyList<Measured>> MeasureAsync(CancellationToken cancellationToken) =>
        [.. (await inner.MeasureAsync(cancellationToken)).Select(m => m with { Name = Of(m.Name, texts) })];
}

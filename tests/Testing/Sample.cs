namespace Archiver.Testing;

/// <summary>
/// What a database holds that is made of a preset's application schema and its generated sample; see
/// <see cref="ApplicationSchema.GenerateAsync"/>.
/// </summary>
internal sealed record Sample(string Server, string Preset, int Idle, int Young, int Messages)
{
    /// <summary>Makes one from nothing, with a random name and without a ledger.</summary>
    public async Task<TestDatabase> CreateAsync(CancellationToken cancellationToken)
    {
        var database = await TestDatabase.CreateAsync(Server, cancellationToken);
        await ApplicationSchema.InstallAsync(database, Preset, cancellationToken);
        await ApplicationSchema.GenerateAsync(database, Preset, Idle, Young, Messages, cancellationToken: cancellationToken);
        return database;
    }
}

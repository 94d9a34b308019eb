using Archiver.Testing;

namespace Archiver.Worker.Tests.Transcripts;

/// <summary>
/// What a person sees of every verb, used rightly and wrongly: each file is a session at the command line, and must come out again as it is
/// there. To add a command, add its line and take over what the test then says; <c>ARCHIVER_TEST_TRANSCRIPTS</c> names a folder for what
/// came out.
/// </summary>
public sealed class TranscriptTests(TestServers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Nothing of it reaches a server.</summary>
    [Fact]
    public async Task Wrong_usage_and_wrong_configuration_say_what_to_do() =>
        await new Transcript("usage.txt", installation: null).CompareAsync(Token);

    [Fact]
    public async Task The_first_commands_of_a_new_user_say_what_to_do_next()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 5, young: 3, ledger: false);
        await new Transcript("first-day.txt", archiver).CompareAsync(Token);
    }

    [Fact]
    public async Task Every_verb_says_what_it_did_or_why_it_did_not()
    {
        await using var archiver = await Installation.CreateAsync(servers, Token, idle: 12, young: 3, ledger: false);
        await new Transcript("verbs.txt", archiver).CompareAsync(Token);
    }
}

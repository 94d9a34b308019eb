using System.Text;
using Archiver.Worker.Logging;
using Archiver.Worker.Output;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace Archiver.Worker.Tests;

public sealed class ExceptionTextTests
{
    [Fact]
    public void Repeats_no_word_of_an_error_of_the_database()
    {
        var error = new PostgresException(
            "my secret",
            "ERROR",
            "ERROR",
            "42501",
            detail: "my secret",
            hint: "my secret",
            where: "my secret"
        );

        var text = ExceptionText.Of(new InvalidOperationException("outer", error));

        Assert.DoesNotContain("my secret", text, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: outer", text, StringComparison.Ordinal);
        Assert.Contains("42501", text, StringComparison.Ordinal);
    }

    /// <summary>As of several servers, none of which let us in, or of a library that repeats what the driver said.</summary>
    [Fact]
    public void Repeats_no_word_of_one_that_another_error_quotes_and_names_all_of_several()
    {
        PostgresException one = new("my secret", "ERROR", "ERROR", "42501"),
            two = new("your secret", "FATAL", "FATAL", "57P03");
        var quoting = new InvalidOperationException($"Not stored: {one.Message}", new AggregateException("All failed", one, two));

        var text = ExceptionText.Of(quoting) + ExceptionText.MessageOf(quoting);

        Assert.DoesNotContain("secret", text, StringComparison.Ordinal);
        Assert.Contains("InvalidOperationException: Not stored: ERROR 42501", text, StringComparison.Ordinal);
        Assert.Contains("PostgresException: ERROR 42501", text, StringComparison.Ordinal);
        Assert.Contains("PostgresException: FATAL 57P03", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_what_the_built_in_log_has_of_an_error_and_has_once()
    {
        using var written = new MemoryStream();
        var nothing = new ConfigurationBuilder().Build();
        var terminal = new Terminal(Stream.Null, Stream.Null, written, outputIsTerminal: false, errorIsTerminal: false);
        using (var log = LogSetup.Create(nothing, terminal, quiet: false))
            log.Error(new IOException("outer", new PostgresException("my secret", "ERROR", "ERROR", "42501")), "It broke");

        Assert.EndsWith(
            """
            "@m":"It broke","@x":"System.IO.IOException: outer\nNpgsql.PostgresException: ERROR 42501; the server's log has the message\n"}

            """,
            Encoding.UTF8.GetString(written.ToArray()),
            StringComparison.Ordinal
        );
    }
}

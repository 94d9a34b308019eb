using Archiver.Core.Sources;

namespace Archiver.Core.Tests.Discovery;

public sealed class WordsTests
{
    [Theory]
    [InlineData("chat_messages", "chat messages", "chatmessage")]
    [InlineData("ChatMessage", "chat message", "chatmessage")]
    [InlineData("n8n_chat_histories", "n8n chat histories", "n8nchathistory")]
    [InlineData("lastPostAt", "last post at", "lastpostat")]
    [InlineData("statuses", "statuses", "statuse")]
    [InlineData("status", "status", "status")]
    [InlineData("_", "", "")]
    [InlineData("Gespräche", "gespräche", "gespräche")]
    public void Takes_names_apart_however_they_are_written(string name, string words, string singular)
    {
        Assert.Equal(words, string.Join(' ', Words.Of(name)));
        Assert.Equal(singular, Words.Singular(name));
    }
}

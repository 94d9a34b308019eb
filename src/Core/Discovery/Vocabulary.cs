using System.Globalization;
using Archiver.Core.Sources;

namespace Archiver.Core.Discovery;

/// <summary>
/// What chat applications call their tables and columns, collected from those that are widely used. Column names are plain, see
/// <see cref="Words"/>.
/// </summary>
internal static class Vocabulary
{
    /// <summary>How much a table's name speaks for sessions, by its ending in the singular.</summary>
    public static IReadOnlyDictionary<string, int> Sessions { get; } =
        Weights(
            """
            conversation:6 chat:6 chatsession:7 session:4 thread:5 dialog:6 dialogue:6 discussion:4 room:4 channel:4 topic:3
            ticket:3 execution:2 conversationhistory:0
            """
        );

    /// <summary>How much it speaks for messages.</summary>
    public static IReadOnlyDictionary<string, int> Messages { get; } =
        Weights(
            """
            message:6 msg:6 messagestore:6 utterance:5 turn:4 exchange:4 history:4 post:3 reply:3 interaction:3 transcript:3 step:3
            completion:3 event:2 comment:2 entry:2 memory:2
            """
        );

    /// <summary>
    /// Endings of tables whose rows live on without a chat, also where they name one: people, and what they work with.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Lasting { get; } =
        Endings(
            """
            user account profile member organization organisation org tenant workspace team project agent bot assistant model app
            application customer contact inbox company file document folder prompt tool
            """
        );

    /// <summary>
    /// Endings of tables that are never sessions: their rows have messages and live on when these are old, or they are messages.
    /// </summary>
    public static IReadOnlyDictionary<string, int> Owners { get; } =
        Lasting.Concat(Endings("message msg attachment")).ToDictionary(StringComparer.Ordinal);

    /// <summary>Words in the name of a table of logins, baskets or jobs.</summary>
    public static IReadOnlySet<string> NotAChat { get; } =
        Set(
            """
            auth oauth login refresh token tokens django device browser cookie web user users admin payment checkout cart game
            worker job migration migrations schema active http impersonation
            """
        );

    /// <summary>Words of what belongs to a chat.</summary>
    public static IReadOnlySet<string> ChatParts { get; } =
        Set("chat chats conversation conversations thread threads message messages msg dialog");

    /// <summary>Words that speak for a chat, or an application that has to do with chats.</summary>
    public static IReadOnlySet<string> Chat { get; } = new HashSet<string>([.. ChatParts, "llm", "ai", "assistant", "bot"]);

    /// <summary>What is nothing without a message or session that its foreign key names, though the key may be NULL.</summary>
    public static IReadOnlySet<string> Parts { get; } =
        Set(
            """
            attachment attachments reaction reactions citation citations annotation annotations feedback feedbacks vote votes rating
            ratings part parts step steps tool revision revisions
            """
        );

    /// <summary>What holds what was said.</summary>
    public static IReadOnlySet<string> Content { get; } =
        Set(
            """
            content contents body text message messages parts blocks answer query output input payload data msg value chat history
            transcript response prompt processedmessagecontent
            """
        );

    /// <summary>What holds all that was said in a session.</summary>
    public static IReadOnlyList<string> Transcripts { get; } = List("chat messages history transcript conversation");

    /// <summary>Who said it.</summary>
    public static IReadOnlySet<string> Speaker { get; } =
        Set(
            """
            role sender sendertype senderid author authorid speaker direction messagetype type isuser fromme from isbot kind
            """
        );

    public static IReadOnlyList<string> Users { get; } =
        List(
            """
            userid ownerid accountid customerid contactid fromenduserid createdby createdbyid creatorid authorid useridentifier
            username useremail participantid visitorid user owner
            """
        );

    public static IReadOnlyList<string> Activity { get; } =
        List(
            """
            lastactivity lastactivityat lastactiveat lastactive lastmessageat lastmessagetime lastmessagedate lastpostat lastseen
            lastseenat lastaccessed lastaccessedat lastusedat lastinteractionat lastupdated lastupdatedat lastmodified
            lastmodifiedat updatedat updateat updatetime updated updatedtime updateddate dateupdated modifiedat modified
            modifieddate datemodified changedat timeupdated mtime updatedon modifiedon stoppedat
            """
        );

    public static IReadOnlyList<string> Created { get; } =
        List(
            """
            createdat createat createtime created createdtime createddate datecreated creationdate creationtime startedat starttime
            insertedat timecreated ctime createdon addedat openedat
            """
        );

    /// <summary>When a row of a message was written.</summary>
    public static IReadOnlyList<string> Written { get; } =
    [
        .. Created,
        .. List(
            """
            timestamp sentat time date datetime ts postedat receivedat occurredat eventtime messagetime messagedate
            """
        ),
    ];

    public static IReadOnlyList<string> Ended { get; } = List("endedat endtime closedat finishedat completedat resolvedat");

    public static IReadOnlyList<string> Deleted { get; } = List("deletedat deleteat removedat deletedon deletedtime datedeleted trashedat");

    public static IReadOnlyList<string> Expires { get; } = List("expiresat expireat expires expiry expiration expirationdate expirytime");

    public static IReadOnlyList<string> Titles { get; } = List("title name subject sessiontitle topic displayname");

    public static IReadOnlyList<string> ExternalIds { get; } =
        List(
            """
            sessionid conversationid chatid threadid externalid publicid uuid guid uid identifier sid
            """
        );

    /// <summary>The place of a row among others.</summary>
    public static IReadOnlyList<string> Places { get; } =
        List(
            """
            sequence sequencenumber seq position idx index ordinal turn turnindex messageindex sortorder orderindex order step
            number
            """
        );

    private static string[] List(string words) => words.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);

    private static HashSet<string> Set(string words) => [.. List(words)];

    private static Dictionary<string, int> Endings(string words) => List(words).ToDictionary(word => word, _ => 1);

    private static Dictionary<string, int> Weights(string words) =>
        List(words).Select(word => word.Split(':')).ToDictionary(part => part[0], part => int.Parse(part[1], CultureInfo.InvariantCulture));
}

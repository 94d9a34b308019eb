using Archiver.Core.Settings;
using Archiver.Testing;

namespace Archiver.Integration.Tests.Restore;

/// <summary>
/// A schema with a grandchild and a column of every kind, and the values in it that are hardest to keep. The frozen example was made of it.
/// </summary>
internal static class AnyTypes
{
    public const string Schema = """
        CREATE TYPE public.mood AS ENUM ('calm', 'very "upset"');
        CREATE DOMAIN public.settings AS json;
        CREATE TABLE public.chats (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          user_id varchar(20), created timestamptz, seen timestamp(3) NOT NULL,
          small smallint, whole integer, exact numeric, price numeric(12,2), single real, double double precision, yes boolean,
          fixed char(5), words text, bytes bytea, day date, clock time, span interval, address inet, range int4range,
          list text[], numbers integer[], settings public.settings, doc json, docb jsonb, mood public.mood, place point,
            bits bit varying(8),
          doubled integer GENERATED ALWAYS AS (whole * 2) STORED);
        CREATE TABLE public.notes (
          id bigserial PRIMARY KEY, chat_id bigint NOT NULL REFERENCES public.chats, at timestamptz, body text, extra jsonb);
        CREATE INDEX ON public.notes (chat_id);
        CREATE TABLE public.files (
          note_id bigint NOT NULL REFERENCES public.notes, name text NOT NULL, data bytea, PRIMARY KEY (note_id, name));
        """;

    public const string Rows = """
        INSERT INTO public.chats (user_id, created, seen, small, whole, exact, price, single, double, yes, fixed, words, bytes, day, clock,
          span, address, range,
                                  list, numbers, settings, doc, docb, mood, place, bits)
        VALUES
          ('user-1', '2020-02-29 23:59:59.999999+00', '2020-03-01 00:00:00.123', -32768, 1073741823,
            '123456789012345678901234567890.000000000000000000001', 10.50,
           1.1754944e-38, 0.1, true, 'ab', E'tab\t line\n quote" back\\slash \x01 \x0b \x7f slash/ é 語 😀 \\N', '\x00ff5c0a',
             '0044-03-15 BC', '24:00', '1 mon -2 days +03:04:05.6',
           '2001:db8::1/64', '[1,10)', ARRAY['a', NULL, '', '"{}\,'], ARRAY[[1,2],[3,4]], '"only a text"',
             E'{"b":  1.50,\n "a": 1, "a": 2, "s": "\\ud800 \\u0000"}', '{"k": [1e400, null]}',
           'very "upset"', '(1.5,-2)', B'10101'),
          ('', '-infinity', '2020-01-02 03:04:05', 0, 0, 'NaN', -0.01, 'Infinity', '-0', false, '', '', '', 'infinity', '00:00', '0',
            '0.0.0.0/0', 'empty',
           '{}', '{}', 'null', 'null', 'null', 'calm', '(0,0)', B''),
          (NULL, NULL, '2019-12-31 23:59:59.5', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
            NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
        INSERT INTO public.notes (chat_id, at, body, extra)
        VALUES (1, '2020-02-29 23:00+00', 'first', '{}'), (1, '0044-03-15 12:00+00 BC', NULL, NULL), (1, '2020-02-29 23:30+00',
          E'{"looks": "like json"}', 'null'), (2, NULL, '', '"text"');
        INSERT INTO public.files VALUES (1, 'a.bin', '\xdeadbeef'), (1, 'b "quoted"', NULL), (3, 'c', '');
        """;

    public static SourceMap Map { get; } =
        new(
            new()
            {
                Table = new("public", "chats"),
                Key = "id",
                User = "user_id",
                Created = "created",
                Activity = ["seen"],
            },
            [
                new()
                {
                    Name = "messages",
                    Table = new("public", "notes"),
                    ForeignKey = "chat_id",
                    ParentKey = "id",
                    Key = "id",
                    Order = ["id"],
                },
                new()
                {
                    Name = "files",
                    Table = new("public", "files"),
                    Parent = "messages",
                    ForeignKey = "note_id",
                    ParentKey = "id",
                    Order = ["note_id", "name"],
                },
            ]
        );

    public static async Task<ArchiverFixture> CreateAsync(TestServers servers, CancellationToken cancellationToken)
    {
        var archiver = await ArchiverFixture.CreateAsync(servers, Map, null, null, cancellationToken);
        await archiver.Database.ExecuteAsync(Schema, cancellationToken);
        await archiver.Database.ExecuteAsync(Rows, cancellationToken);
        return archiver;
    }

    public static async Task<string> CopyAsync(TestDatabase database) =>
        await database.CopyOutAsync("SELECT * FROM public.chats ORDER BY id")
        + "--\n"
        + await database.CopyOutAsync("SELECT * FROM public.notes ORDER BY id")
        + "--\n"
        + await database.CopyOutAsync("SELECT * FROM public.files ORDER BY note_id, name");
}

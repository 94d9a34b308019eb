using System.Diagnostics;
using OpenTelemetry;

namespace Archiver.Worker.Metrics;

/// <summary>
/// Takes out of the driver's spans what may hold ids or values: the text of statements, which COPY has no parameters for, and whatever an
/// error quotes.
/// </summary>
internal sealed class DiscreetSpans : BaseProcessor<Activity>
{
    private static readonly string[] Kept =
    [
        "db.system",
        "db.system.name",
        "db.namespace",
        "db.name",
        "db.npgsql.data_source",
        "server.address",
        "server.port",
        "db.response.status_code",
        "error.type",
    ];

    /// <summary>
    /// The configuration without events of spans: the driver puts an error's message into one, and there is no way to take an event back.
    /// None of our spans has any.
    /// </summary>
    public static IConfiguration Without(IConfiguration configuration) =>
        new ConfigurationBuilder().AddConfiguration(configuration).AddInMemoryCollection([new("OTEL_SPAN_EVENT_COUNT_LIMIT", "0")]).Build();

    public override void OnEnd(Activity data)
    {
        if (data.Source.Name != "Npgsql")
            return;
        foreach (var (name, _) in data.TagObjects.Where(t => !Kept.Contains(t.Key)).ToList())
            data.SetTag(name, null);
        if (data.Status == ActivityStatusCode.Error)
            data.SetStatus(ActivityStatusCode.Error);
    }
}

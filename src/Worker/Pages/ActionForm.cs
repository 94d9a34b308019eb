using System.Globalization;
using Archiver.Core.Diagnostics;
using Archiver.Worker.Http;

namespace Archiver.Worker.Pages;

/// <summary>The fields of a posted form, checked like every other value of a request.</summary>
internal sealed class ActionForm
{
    private readonly IFormCollection _fields;

    private ActionForm(IFormCollection fields) => _fields = fields;

    public static async Task<ActionForm> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
            throw new BadHttpRequestException("The body must be a form.", StatusCodes.Status415UnsupportedMediaType);
        try
        {
            return new(await request.ReadFormAsync(cancellationToken));
        }
        catch (InvalidDataException exception)
        {
            throw new BadHttpRequestException("The form is malformed.", exception);
        }
    }

    /// <summary>A field that must be there.</summary>
    public string this[string name] =>
        _fields[name] is [{ } value] ? RequestValues.Clean(name, value) : throw Bad(name, "must be given once");

    /// <summary>A field that may be empty or absent: then null.</summary>
    public string? Optional(string name) => _fields[name] is [] or [""] ? null : this[name];

    public int Number(string name) =>
        int.TryParse(this[name], NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value > 0
            ? value
            : throw Bad(name, "must be a whole number above zero");

    public bool IsChecked(string name) => _fields.ContainsKey(name) && this[name] == "true";

    public T Choice<T>(string name)
        where T : struct, Enum =>
        Enum.GetNames<T>().Contains(this[name], StringComparer.Ordinal)
            ? Enum.Parse<T>(this[name])
            : throw Bad(name, $"must be one of {string.Join(", ", Enum.GetNames<T>())}");

    private static ArchiverException Bad(string name, string rule) => new(FailureKind.Configuration, $"{name} {rule}.");
}

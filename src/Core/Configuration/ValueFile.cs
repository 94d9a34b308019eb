using System.Text;

namespace Archiver.Core.Configuration;

/// <summary>A value kept in a file, as container platforms hand out secrets.</summary>
internal static class ValueFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The file's text without one trailing line break (editors and <c>echo</c> add one), or null with the problem.</summary>
    public static string? Read(string folder, string path, bool secret, out string? problem)
    {
        // Someone will put the secret itself where its path belongs; a path that starts at the root is most likely a path.
        var shown =
            secret && !Path.IsPathRooted(path) ? "the file (path not shown, it may be the secret itself)" : $"file {Visible.Value(path)}";
        problem = null;
        try
        {
            var text = File.ReadAllText(Path.Combine(folder, path), Strict);
            return text.EndsWith("\r\n", StringComparison.Ordinal) ? text[..^2]
                : text.EndsWith('\n') ? text[..^1]
                : text;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            problem = $"{shown} does not exist";
        }
        catch (DecoderFallbackException)
        {
            problem = $"{shown} is not UTF-8 text";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            // Without the exception's own message: it repeats the path.
            problem = $"{shown} cannot be read ({e.GetType().Name})";
        }
        return null;
    }
}

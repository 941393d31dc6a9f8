using System.Globalization;
using System.Text;

namespace PaDiM.Client;

/// <summary>Writes an address below <c>v1/</c>. Segments are escaped, and null parameters left out.</summary>
internal sealed class Query
{
    private readonly StringBuilder _text = new("v1");
    private bool _hasParameters;

    public Query(params ReadOnlySpan<string> segments)
    {
        foreach (var segment in segments)
        {
            // An empty segment, or dots alone, would name another resource.
            if (segment.Length == 0 || segment.AsSpan().Trim('.').IsEmpty)
                throw new ArgumentException($"'{segment}' is not a name.", nameof(segments));
            _text.Append('/').Append(Uri.EscapeDataString(segment));
        }
    }

    public Query With(string name, string? value)
    {
        if (value is null)
            return this;
        _text.Append(_hasParameters ? '&' : '?').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        _hasParameters = true;
        return this;
    }

    public Query With(string name, int? value) => With(name, value?.ToString(CultureInfo.InvariantCulture));

    public Query With(string name, double? value) => With(name, value?.ToString("R", CultureInfo.InvariantCulture));

    public Query With(string name, bool value) => With(name, value ? "true" : null);

    public Query With(string name, DateTimeOffset? value) =>
        With(name, value?.ToString("O", CultureInfo.InvariantCulture));

    public Query With<T>(string name, T? value)
        where T : struct, INamedValue<T> => With(name, value?.Name);

    /// <summary>Writes a number as a segment.</summary>
    public static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    public override string ToString() => _text.ToString();
}

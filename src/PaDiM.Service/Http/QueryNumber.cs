using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PaDiM.Service.Http;

/// <summary>
/// A number in a query. The framework would take the comma of "31,2" for one between thousands, and read 312.
/// </summary>
internal readonly record struct QueryNumber(double Value)
{
    public static implicit operator QueryNumber(double value) => new(value);

    public static bool TryParse([NotNullWhen(true)] string? text, IFormatProvider? provider, out QueryNumber number)
    {
        var parsed = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value);
        number = new QueryNumber(value);
        return parsed;
    }
}

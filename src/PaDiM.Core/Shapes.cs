using System.Runtime.CompilerServices;

namespace PaDiM.Core;

/// <summary>Checks that arrays match their shapes.</summary>
internal static class Shapes
{
    /// <summary>Returns an array if its length matches its shape.</summary>
    /// <exception cref="ArgumentException">The length does not match.</exception>
    public static T[] CheckLength<T>(
        T[] values,
        long expected,
        [CallerArgumentExpression(nameof(values))] string name = ""
    ) =>
        values.LongLength == expected
            ? values
            : throw new ArgumentException(
                $"'{name}' has {values.LongLength} values, but its shape has {expected}.",
                name
            );

    /// <summary>Returns memory if its length matches its shape.</summary>
    /// <exception cref="ArgumentException">The length does not match.</exception>
    public static ReadOnlyMemory<T> CheckLength<T>(
        ReadOnlyMemory<T> values,
        long expected,
        [CallerArgumentExpression(nameof(values))] string name = ""
    ) =>
        values.Length == expected
            ? values
            : throw new ArgumentException($"'{name}' has {values.Length} values, but its shape has {expected}.", name);
}

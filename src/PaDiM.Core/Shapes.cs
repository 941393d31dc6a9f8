using System.Runtime.CompilerServices;

namespace PaDiM.Core;

/// <summary>Keeps arrays and the shapes they are said to have together.</summary>
internal static class Shapes
{
    /// <summary>The array, if it has as many values as its shape.</summary>
    /// <exception cref="ArgumentException">It has more or fewer.</exception>
    public static T[] CheckLength<T>(
        T[] values,
        long expected,
        [CallerArgumentExpression(nameof(values))] string name = ""
    ) =>
        values.LongLength == expected
            ? values
            : throw new ArgumentException(
                $"'{name}' has {values.LongLength} values where its shape has {expected}.",
                name
            );

    /// <summary>The memory, if it holds as many values as its shape.</summary>
    /// <exception cref="ArgumentException">It holds more or fewer.</exception>
    public static ReadOnlyMemory<T> CheckLength<T>(
        ReadOnlyMemory<T> values,
        long expected,
        [CallerArgumentExpression(nameof(values))] string name = ""
    ) =>
        values.Length == expected
            ? values
            : throw new ArgumentException($"'{name}' has {values.Length} values where its shape has {expected}.", name);
}

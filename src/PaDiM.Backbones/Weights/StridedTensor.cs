namespace PaDiM.Backbones.Weights;

/// <summary>
/// Represents a view of a storage, within its bounds: value (i, j, ..) is number <c>Offset + i Strides[0] + j
/// Strides[1] + ..</c> of it.
/// </summary>
internal sealed class StridedTensor
{
    private const int MaxAxes = 8,
        MaxBytes = int.MaxValue;

    /// <summary>Creates a view.</summary>
    /// <exception cref="InvalidDataException">It exceeds its storage.</exception>
    public StridedTensor(Storage storage, long offset, long[] shape, long[] strides)
    {
        if (
            shape.Length != strides.Length
            || shape.Length > MaxAxes
            || offset < 0
            || shape.Any(extent => extent < 0)
            || strides.Any(stride => stride < 0)
        )
            throw InvalidView(storage);
        Storage = storage;
        Offset = offset;
        Shape = shape;
        Strides = strides;
        try
        {
            Count = shape.Aggregate(1L, (product, extent) => checked(product * extent));
            Span =
                Count == 0
                    ? 0
                    : shape
                        .Zip(strides)
                        .Aggregate(1L, (reach, axis) => checked(reach + (axis.First - 1) * axis.Second));
            if (
                Count > storage.Length
                || checked(offset + Span) > storage.Length
                || Span > MaxBytes / storage.Type.GetSize()
            )
                throw InvalidView(storage);
        }
        catch (OverflowException)
        {
            throw InvalidView(storage);
        }
    }

    /// <summary>Gets the storage.</summary>
    public Storage Storage { get; }

    /// <summary>Gets the index of its first value in the storage.</summary>
    public long Offset { get; }

    /// <summary>Gets the extents, outermost first.</summary>
    public long[] Shape { get; }

    /// <summary>Gets the distance in the storage from one value to the next along each axis.</summary>
    public long[] Strides { get; }

    /// <summary>Gets the number of values.</summary>
    public long Count { get; }

    /// <summary>Gets the length in the storage from the first value to the last, both included.</summary>
    public long Span { get; }

    /// <summary>Gathers the values in row-major order.</summary>
    /// <param name="stored">The <see cref="Span"/> numbers of the storage from <see cref="Offset"/> on.</param>
    /// <param name="convert">Converts a number of the storage.</param>
    public float[] Gather<T>(T[] stored, Func<T, float> convert)
    {
        var values = new float[Count];
        var at = new long[Shape.Length];
        var source = 0L;
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = convert(stored[(int)source]);
            for (var axis = at.Length - 1; axis >= 0; axis--)
            {
                source += Strides[axis];
                if (++at[axis] < Shape[axis])
                    break;
                source -= at[axis] * Strides[axis];
                at[axis] = 0;
            }
        }
        return values;
    }

    private static InvalidDataException InvalidView(Storage storage) =>
        new(
            $"The weights file is damaged: a tensor exceeds storage {WeightsFile.Quote(storage.Key)}, "
                + $"which has {storage.Length} numbers."
        );
}

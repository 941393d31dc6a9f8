namespace PaDiM.Backbones.Weights;

/// <summary>Lists the types of the numbers in a checkpoint.</summary>
internal enum ElementType
{
    /// <summary>Floating point, 32 bits.</summary>
    Float,

    /// <summary>Floating point, 64 bits.</summary>
    Double,

    /// <summary>Floating point, 16 bits, IEEE.</summary>
    Half,

    /// <summary>Floating point, 16 bits, see <see cref="BrainFloat"/>.</summary>
    BFloat16,

    /// <summary>Integer, 64 bits.</summary>
    Long,

    /// <summary>Integer, 32 bits.</summary>
    Int,

    /// <summary>Integer, 16 bits.</summary>
    Short,

    /// <summary>Integer, 8 bits.</summary>
    Char,

    /// <summary>Integer, 8 bits, without sign.</summary>
    Byte,

    /// <summary>Truth value, 8 bits.</summary>
    Bool,
}

/// <summary>Extends <see cref="ElementType"/>.</summary>
internal static class ElementTypes
{
    /// <summary>Gets the bytes of one number.</summary>
    public static int GetSize(this ElementType type) =>
        type switch
        {
            ElementType.Double or ElementType.Long => 8,
            ElementType.Float or ElementType.Int => 4,
            ElementType.Half or ElementType.BFloat16 or ElementType.Short => 2,
            _ => 1,
        };
}

namespace PaDiM.Backbones.Weights;

/// <summary>Converts bfloat16, 16-bit floating-point numbers with the exponent of float32.</summary>
internal static class BrainFloat
{
    /// <summary>Converts a number exactly.</summary>
    /// <param name="bits">The upper half of the float32.</param>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}

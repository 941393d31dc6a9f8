namespace PaDiM.Backbones.Weights;

/// <summary>Floating-point numbers of 16 bits with float32's exponent.</summary>
internal static class BrainFloat
{
    /// <summary>The number, exactly.</summary>
    /// <param name="bits">The upper half of a float32.</param>
    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}

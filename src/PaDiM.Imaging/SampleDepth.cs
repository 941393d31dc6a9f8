namespace PaDiM.Imaging;

/// <summary>Converts samples of any depth to 8 bits. Every reader of this project does so here.</summary>
internal static class SampleDepth
{
    /// <summary>Rounds <c>sample / 257</c> to the nearest integer; 257 is odd, so there are no ties.</summary>
    public static byte ToEightBits(ushort sample) => (byte)((sample + 128) / 257);

    /// <summary>
    /// Scales a sample of <c>0</c> to <paramref name="most"/>, at most 65535, rounded to the nearest integer.
    /// </summary>
    public static byte ToEightBits(uint sample, uint most) => (byte)((sample * 255 + most / 2) / most);

    /// <summary>Scales a sample of a stated range; what lies outside of it is black or white.</summary>
    public static byte ToEightBits(double sample, double low, double high) =>
        (byte)Math.Round(Math.Clamp((sample - low) / (high - low), 0, 1) * 255);
}

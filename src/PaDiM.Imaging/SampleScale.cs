namespace PaDiM.Imaging;

/// <summary>
/// Scales the samples of one image of more than 8 bits to 8 bits. A camera of 10 or 12 bits fills the lower bits of 16:
/// white is then not the largest number, but that of the bits that count.
/// </summary>
internal sealed class SampleScale
{
    private readonly uint _white;
    private readonly bool _isDeclared;
    private readonly bool _isMask;

    private SampleScale(uint white, bool isLimited, bool isDeclared, bool isMask)
    {
        _white = white;
        IsLimited = isLimited;
        _isDeclared = isDeclared;
        _isMask = isMask;
    }

    /// <summary>Gets whether samples can lie above white; <see cref="Check"/> must then see them.</summary>
    public bool IsLimited { get; }

    /// <summary>Creates a scale.</summary>
    /// <param name="most">The largest number that a sample can be, at most 65535.</param>
    /// <param name="declaredBits">The bits that count, from who sent the image; null if not given.</param>
    /// <param name="statedBits">The bits that count, from the file itself; null if it does not say.</param>
    public static SampleScale Create(uint most, int? declaredBits = null, int? statedBits = null)
    {
        var bits = declaredBits ?? statedBits;
        var white = bits is { } some ? Math.Min(most, (1u << some) - 1) : most;
        return new SampleScale(white, white < most, declaredBits is not null, isMask: false);
    }

    /// <summary>Creates the scale of a mask: all but 0 is white.</summary>
    public static SampleScale CreateForMask() => new(1, isLimited: false, isDeclared: false, isMask: true);

    /// <summary>Converts a sample.</summary>
    public byte ToEightBits(uint sample) =>
        _isMask
            ? sample == 0
                ? (byte)0
                : byte.MaxValue
            : _white == ushort.MaxValue
                ? SampleDepth.ToEightBits((ushort)sample)
                : SampleDepth.ToEightBits(Math.Min(sample, _white), _white);

    /// <summary>Converts pixels of one to four channels, of which the second or the fourth one is alpha.</summary>
    /// <exception cref="SampleRangeException">A colour lies above white.</exception>
    public void Convert(ReadOnlySpan<ushort> samples, Span<byte> bytes, int channels)
    {
        for (var i = 0; i < samples.Length; i++)
            bytes[i] = ToEightBits(samples[i]);
        if (!IsLimited)
            return;
        // Alpha may be at full range beside colours that are not.
        var colours = channels is 2 or 4 ? channels - 1 : channels;
        uint largest = 0;
        for (var pixel = 0; pixel < samples.Length; pixel += channels)
            foreach (var sample in samples.Slice(pixel, colours))
                largest = Math.Max(largest, sample);
        Check(largest);
    }

    /// <summary>Checks the largest of some colours.</summary>
    /// <exception cref="SampleRangeException">It lies above white.</exception>
    public void Check(uint largest)
    {
        if (IsLimited && largest > _white)
            throw new SampleRangeException(largest, _white, _isDeclared);
    }
}

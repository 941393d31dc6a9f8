namespace PaDiM.Imaging.Decoding;

/// <summary>
/// Collects the 8-bit samples of an image, in any order: red, green and blue (grey is repeated), or four inks; and
/// alpha apart from them.
/// </summary>
internal sealed class PixelCanvas
{
    /// <summary>Creates a canvas.</summary>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Pixels down.</param>
    /// <param name="channels">3, or 4 for inks.</param>
    /// <param name="hasAlpha">Whether there is alpha.</param>
    public PixelCanvas(int width, int height, int channels, bool hasAlpha)
    {
        Width = width;
        Height = height;
        Channels = channels;
        Samples = GC.AllocateUninitializedArray<byte>(checked(channels * width * height));
        Alpha = hasAlpha ? GC.AllocateUninitializedArray<byte>(width * height) : null;
    }

    /// <summary>Creates a canvas that keeps red, green, blue and alpha.</summary>
    public PixelCanvas(int width, int height, byte[] samples, byte[]? alpha)
    {
        Width = width;
        Height = height;
        Channels = 3;
        Samples = samples;
        Alpha = alpha;
    }

    public int Width { get; }

    public int Height { get; }

    public int Channels { get; }

    /// <summary>Gets the samples, shape <c>(Height, Width, Channels)</c>.</summary>
    public byte[] Samples { get; }

    /// <summary>Gets the alpha, shape <c>(Height, Width)</c>.</summary>
    public byte[]? Alpha { get; }

    /// <summary>Gets a part of a row, from a column on.</summary>
    public Span<byte> GetRow(int x, int y, int count) =>
        Samples.AsSpan(checked((y * Width + x) * Channels), count * Channels);

    /// <summary>Writes whole rows of grey or RGB, each with alpha if the canvas has it.</summary>
    public void WriteRows(int top, int rows, ReadOnlySpan<byte> samples)
    {
        var count = rows * Width;
        var step = samples.Length / count;
        var target = Samples.AsSpan(3 * top * Width, 3 * count);
        if (step == 3)
            samples.CopyTo(target);
        else
            for (int i = 0, from = 0; i < count; i++, from += step)
            {
                var pixel = target.Slice(3 * i, 3);
                if (step < 3)
                    pixel.Fill(samples[from]);
                else
                    samples.Slice(from, 3).CopyTo(pixel);
            }
        if (Alpha is not null)
            for (var i = 0; i < count; i++)
                Alpha[top * Width + i] = samples[i * step + step - 1];
    }

    /// <summary>
    /// Puts the picture on black. A picture that is transparent everywhere keeps its colours: cameras leave the fourth
    /// byte of their 32-bit buffers at 0, and an image of nothing is not a real image.
    /// </summary>
    public void Flatten()
    {
        if (Alpha is not null && Alpha.AsSpan().ContainsAnyExcept((byte)0))
            for (int i = 0, at = 0; i < Alpha.Length; i++)
            {
                var alpha = Alpha[i];
                for (var c = 0; c < Channels; c++, at++)
                    Samples[at] = (byte)(Samples[at] * alpha / byte.MaxValue);
            }
    }
}

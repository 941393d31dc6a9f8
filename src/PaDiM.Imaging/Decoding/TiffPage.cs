using PaDiM.Core.Models;

namespace PaDiM.Imaging.Decoding;

/// <summary>
/// The one page of a TIFF that is the image, and how its pixels are stored. Thumbnails, layers of a pyramid and masks
/// are passed over; several pages are refused.
/// </summary>
internal sealed class TiffPage
{
    /// <summary>More directories than any pyramid has; a hostile chain may have a million.</summary>
    private const int MaxDirectories = 100;

    /// <summary>Bits of the tag of a page that is a smaller copy of another one, or a mask for it.</summary>
    private const int ReducedOrMask = 1 | 4;

    private const int ReducedOfOldTag = 2,
        MaxSamplesPerPixel = 32;

    private TiffPage() { }

    public required int Width { get; init; }

    public required int Height { get; init; }

    /// <summary>Gets the bits of every sample.</summary>
    public required int Bits { get; init; }

    public required int SamplesPerPixel { get; init; }

    public required TiffCompression Compression { get; init; }

    public required TiffPhotometric Photometric { get; init; }

    public required TiffSampleFormat SampleFormat { get; init; }

    /// <summary>Gets whether the lowest byte of a number comes first.</summary>
    public required bool IsLittleEndian { get; init; }

    /// <summary>Gets whether every channel is stored for itself.</summary>
    public required bool IsPlanar { get; init; }

    public required int Predictor { get; init; }

    public required int Orientation { get; init; }

    /// <summary>Gets whether the lowest bit of a byte comes first.</summary>
    public required bool ReversesBits { get; init; }

    /// <summary>Gets the lowest and the highest value of a sample; null if the file does not say.</summary>
    public required (double Low, double High)? Range { get; init; }

    /// <summary>Gets the bits of every sample that count, as the file states; null if it does not say.</summary>
    public required int? SignificantBits { get; init; }

    /// <summary>
    /// Gets the index of the sample that is alpha, or -1. Samples of no stated meaning are not, and colours that are
    /// multiplied by alpha already are on black as they are.
    /// </summary>
    public required int AlphaSample { get; init; }

    public required bool IsTiled { get; init; }

    /// <summary>Gets the columns of a strip or tile.</summary>
    public required int ChunkWidth { get; init; }

    /// <summary>Gets the rows of a strip or tile; the last strip may have fewer.</summary>
    public required int ChunkHeight { get; init; }

    public required TiffDirectory Directory { get; init; }

    /// <summary>Gets whether samples are whole numbers from 0 on.</summary>
    public bool IsUnsigned => SampleFormat is TiffSampleFormat.Unsigned or TiffSampleFormat.Undefined;

    /// <summary>Gets the number of samples that are colour: 1, 3 or 4.</summary>
    public int Colours => GetColours(Photometric);

    /// <summary>Gets the samples of a pixel in one strip or tile.</summary>
    public int SamplesPerChunk => IsPlanar ? 1 : SamplesPerPixel;

    /// <summary>Gets the bytes of a row of a strip or tile.</summary>
    public long RowBytes => ((long)ChunkWidth * SamplesPerChunk * Bits + 7) / 8;

    /// <summary>Gets the memory that decoding takes beside the image.</summary>
    public long ChunkBytes => Compression == TiffCompression.None ? 0 : RowBytes * ChunkHeight;

    /// <summary>Gets whether the first directory starts within the first bytes of a file.</summary>
    public static bool BeginsWithin(ReadOnlySpan<byte> beginning)
    {
        const int longestHeader = 16;
        if (beginning.Length < longestHeader)
            return false;
        return new TiffBytes(beginning).ReadStart() is >= 0 and var at && at < beginning.Length - longestHeader / 2;
    }

    /// <summary>Finds the page that is the image.</summary>
    /// <param name="tiff">The file, or its beginning.</param>
    /// <param name="isWhole">Whether it is the file.</param>
    /// <param name="refused">Why there is none: several pages, or a kind that is not supported.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static TiffPage? Find(ReadOnlySpan<byte> tiff, bool isWhole, out DecodeResult.Refused? refused)
    {
        var file = new TiffBytes(tiff);
        TiffDirectory? first = null,
            image = null;
        var at = file.ReadStart();
        for (var i = 0; at != 0; i++)
        {
            var directory = TiffDirectory.Read(file, at);
            if (isWhole)
                directory.CheckValues(file);
            var isImage = !IsReducedOrMask(file, directory);
            if (i == MaxDirectories || (isImage && image is not null))
            {
                refused = Refusals.CreateAnimated();
                return null;
            }
            first ??= directory;
            image = isImage ? directory : image;
            at = directory.Next;
        }
        // A lone picture that calls itself a thumbnail is all there is.
        var page = Read(file, image ?? first ?? throw new InvalidDataException("it has no page"));
        refused = TiffSupport.FindFault(file, page, first!) is { } reason
            ? new DecodeResult.Refused(ImageFault.Unsupported, reason)
            : null;
        return refused is null ? page : null;
    }

    private static bool IsReducedOrMask(TiffBytes file, TiffDirectory directory) =>
        (directory.GetNumber(file, TiffTag.NewSubfileType, 0) & ReducedOrMask) != 0
        || directory.GetNumber(file, TiffTag.SubfileType, 0) == ReducedOfOldTag;

    private static TiffPage Read(TiffBytes file, TiffDirectory directory)
    {
        var width = ReadSize(file, directory, TiffTag.ImageWidth);
        var height = ReadSize(file, directory, TiffTag.ImageLength);
        var samples = directory.GetNumber(
            file,
            TiffTag.SamplesPerPixel,
            Math.Max(1, directory.Count(TiffTag.BitsPerSample))
        );
        if (samples is < 1 or > MaxSamplesPerPixel)
            throw new InvalidDataException($"a pixel cannot have {samples} samples");
        var photometric = (TiffPhotometric)directory.GetNumber(file, TiffTag.Photometric, 0);
        var tiled = directory.Contains(TiffTag.TileOffsets) || directory.Contains(TiffTag.TileWidth);
        var rows = directory.GetNumber(file, TiffTag.RowsPerStrip, height);
        var chunkWidth = tiled ? ReadSize(file, directory, TiffTag.TileWidth) : width;
        var chunkHeight = tiled ? ReadSize(file, directory, TiffTag.TileLength) : (int)Math.Clamp(rows, 0, height);
        if (chunkHeight == 0)
            throw new InvalidDataException("a strip has no rows");
        // Tiles may stick out, but none of a small image has gigabytes.
        if ((long)chunkWidth * chunkHeight > Math.Max(1L << 22, 4L * width * height))
            throw new InvalidDataException("a tile is larger than the image");
        var low = directory.GetReals(file, TiffTag.LeastSampleValue);
        var high = directory.GetReals(file, TiffTag.MostSampleValue);
        return new TiffPage
        {
            Width = width,
            Height = height,
            Bits = (int)ReadEqual(file, directory, TiffTag.BitsPerSample, samples, 1),
            SamplesPerPixel = (int)samples,
            Compression = (TiffCompression)directory.GetNumber(file, TiffTag.Compression, 1),
            Photometric = photometric,
            SampleFormat = (TiffSampleFormat)ReadEqual(file, directory, TiffTag.SampleFormat, samples, 1),
            IsLittleEndian = file.IsLittleEndian,
            IsPlanar = samples > 1 && directory.GetNumber(file, TiffTag.PlanarConfiguration, 1) == 2,
            Predictor = (int)directory.GetNumber(file, TiffTag.Predictor, 1),
            Orientation = (int)directory.GetNumber(file, TiffTag.Orientation, 1),
            ReversesBits = directory.GetNumber(file, TiffTag.FillOrder, 1) == 2,
            Range =
                low.Length > 0
                && high.Length > 0
                && low.Min() is var least
                && high.Max() is var most
                && most > least
                && double.IsFinite(most - least)
                    ? (least, most)
                    : null,
            SignificantBits =
                FindSignificantBits(low, high)
                ?? FindSignificantBits(
                    directory.GetReals(file, TiffTag.OldLeastSampleValue),
                    directory.GetReals(file, TiffTag.OldMostSampleValue)
                ),
            AlphaSample = FindAlpha(file, directory, photometric, (int)samples),
            IsTiled = tiled,
            ChunkWidth = chunkWidth,
            ChunkHeight = chunkHeight,
            Directory = directory,
        };
    }

    /// <summary>Gets whether the samples are grey or colours of 9 to 16 bits.</summary>
    public bool IsDeep =>
        Bits is > 8 and <= 16
        && IsUnsigned
        && Photometric is TiffPhotometric.BlackIsZero or TiffPhotometric.WhiteIsZero or TiffPhotometric.Rgb;

    /// <summary>Gets whether the pixels are black and white, and compressed as a fax.</summary>
    public bool IsFax =>
        Compression is TiffCompression.FaxRows or TiffCompression.FaxGroup3 or TiffCompression.FaxGroup4;

    /// <summary>Gets whether strips and tiles are image files themselves.</summary>
    public bool HoldsFiles => Compression is TiffCompression.Jpeg or TiffCompression.OldJpeg or TiffCompression.WebP;

    /// <summary>
    /// Finds the bits that a range stands for. Some programs write the darkest and the brightest value of the picture
    /// into these tags, which says nothing about the camera: only a range of whole bits counts.
    /// </summary>
    private static int? FindSignificantBits(double[] low, double[] high)
    {
        if (high is not [var most, ..] || Array.Exists(high, value => value != most) || Array.Exists(low, v => v != 0))
            return null;
        for (var bits = FitSettings.MinSignificantBits; bits < FitSettings.MaxSignificantBits; bits++)
            if (most == (1 << bits) - 1)
                return bits;
        return null;
    }

    private static int FindAlpha(TiffBytes file, TiffDirectory directory, TiffPhotometric photometric, int samples)
    {
        const int alpha = 2;
        var extra = directory.GetNumbers(file, TiffTag.ExtraSamples);
        var first = GetColours(photometric);
        var index = Array.IndexOf(extra, alpha);
        return index >= 0 && first + index < samples ? first + index : -1;
    }

    private static int GetColours(TiffPhotometric photometric) =>
        photometric switch
        {
            TiffPhotometric.WhiteIsZero
            or TiffPhotometric.BlackIsZero
            or TiffPhotometric.Palette
            or TiffPhotometric.Mask => 1,
            TiffPhotometric.Separated => 4,
            _ => 3,
        };

    private static int ReadSize(TiffBytes file, TiffDirectory directory, TiffTag tag) =>
        directory.GetNumber(file, tag, 0) is > 0 and <= int.MaxValue and var size
            ? (int)size
            : throw new InvalidDataException("its size is missing or invalid");

    /// <summary>Reads a value that all samples have in common; -1 if they differ.</summary>
    private static long ReadEqual(TiffBytes file, TiffDirectory directory, TiffTag tag, long samples, long missing) =>
        directory.GetNumbers(file, tag) is not [var value, ..] values ? missing
        : values.Take((int)samples).All(other => other == value) ? value
        : -1;
}

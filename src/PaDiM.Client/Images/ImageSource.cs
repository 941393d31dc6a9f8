namespace PaDiM.Client;

/// <summary>
/// An image to send: a file, the bytes of a file, a stream, or raw pixels. Byte arrays, memory, streams and
/// <see cref="RawFrame"/>s convert to it.
/// </summary>
public sealed class ImageSource
{
    private const string DefaultName = "image";

    private readonly Func<Stream>? _open;
    private readonly ReadOnlyMemory<byte> _bytes;

    private ImageSource(string fileName, ReadOnlyMemory<byte> bytes)
    {
        FileName = fileName;
        _bytes = bytes;
        Length = bytes.Length;
    }

    private ImageSource(string fileName, Func<Stream> open)
    {
        FileName = fileName;
        _open = open;
    }

    /// <summary>Gets the name that the service reports the image under.</summary>
    public string FileName { get; }

    /// <summary>Gets the size and format of raw pixels; null for an encoded image.</summary>
    public RawFrame? Frame { get; private init; }

    /// <summary>
    /// Gets the mask that is uploaded along, white where the part is defective; null for none. Scores have none.
    /// </summary>
    public ImageSource? Mask { get; private init; }

    /// <summary>Gets the number of bytes; null while it is not known.</summary>
    internal long? Length { get; private init; }

    /// <summary>Gets whether it can be sent again.</summary>
    internal bool CanSendAgain { get; private init; } = true;

    /// <summary>Creates an image from a file, which is opened when it is sent.</summary>
    /// <param name="path">Path of a JPEG, PNG, TIFF, BMP, WebP or portable map.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    public static ImageSource FromFile(string path)
    {
        var file = new FileInfo(path);
        return file.Exists
            ? new ImageSource(file.Name, () => OpenFile(file.FullName)) { Length = file.Length }
            : throw new FileNotFoundException($"There is no file '{path}'.", path);
    }

    /// <summary>Creates an image from the bytes of a file, which are sent without a copy.</summary>
    /// <param name="bytes">An encoded image.</param>
    /// <param name="fileName">The name that the service reports it under.</param>
    public static ImageSource FromBytes(ReadOnlyMemory<byte> bytes, string fileName = DefaultName) =>
        new(fileName, bytes);

    /// <summary>
    /// Creates an image from a stream, which is read from where it is and left open. If it cannot seek, the request is
    /// not sent again when it fails.
    /// </summary>
    /// <param name="stream">An encoded image.</param>
    /// <param name="fileName">The name that the service reports it under.</param>
    public static ImageSource FromStream(Stream stream, string fileName = DefaultName)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanSeek)
            return new ImageSource(fileName, () => new OpenStream(stream)) { CanSendAgain = false };
        var start = stream.Position;
        return new ImageSource(
            fileName,
            () =>
            {
                stream.Position = start;
                return new OpenStream(stream);
            }
        )
        {
            Length = stream.Length - start,
        };
    }

    /// <summary>Creates an image from raw pixels.</summary>
    /// <param name="frame">The pixels.</param>
    /// <param name="fileName">The name that the service reports them under.</param>
    public static ImageSource FromPixels(RawFrame frame, string fileName = DefaultName)
    {
        ArgumentNullException.ThrowIfNull(frame);
        return new ImageSource(fileName, frame.Pixels) { Frame = frame };
    }

    /// <summary>Creates the same image with a mask.</summary>
    /// <param name="mask">White where the part is defective, in the size of the image.</param>
    public ImageSource WithMask(ImageSource mask) =>
        _open is null
            ? new ImageSource(FileName, _bytes) { Frame = Frame, Mask = mask }
            : new ImageSource(FileName, _open)
            {
                Length = Length,
                CanSendAgain = CanSendAgain,
                Mask = mask,
            };

    /// <summary>Creates an image from the bytes of a file.</summary>
    public static implicit operator ImageSource(byte[] bytes) => FromBytes(bytes);

    /// <summary>Creates an image from the bytes of a file.</summary>
    public static implicit operator ImageSource(ReadOnlyMemory<byte> bytes) => FromBytes(bytes);

    /// <summary>Creates an image from the bytes of a file.</summary>
    public static implicit operator ImageSource(Memory<byte> bytes) => FromBytes(bytes);

    /// <summary>Creates an image from a stream.</summary>
    public static implicit operator ImageSource(Stream stream) => FromStream(stream);

    /// <summary>Creates an image from raw pixels.</summary>
    public static implicit operator ImageSource(RawFrame frame) => FromPixels(frame);

    /// <summary>Writes the image.</summary>
    internal async Task CopyToAsync(Stream target, CancellationToken cancellationToken)
    {
        if (_open is null)
        {
            await target.WriteAsync(_bytes, cancellationToken).ConfigureAwait(false);
            return;
        }
        var buffer = new byte[81920];
        var source = Read(_open);
        await using (source.ConfigureAwait(false))
            for (int count; (count = await ReadAsync(source, buffer, cancellationToken).ConfigureAwait(false)) > 0; )
                await target.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
    }

    private static Stream Read(Func<Stream> open)
    {
        try
        {
            return open();
        }
        catch (Exception fault)
        {
            throw new SourceException(fault);
        }
    }

    private static async ValueTask<int> ReadAsync(Stream source, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            throw new SourceException(fault);
        }
    }

    private static FileStream OpenFile(string path) =>
        new(
            path,
            new FileStreamOptions
            {
                Options = FileOptions.Asynchronous | FileOptions.SequentialScan,
                Share = FileShare.ReadWrite | FileShare.Delete,
            }
        );
}

namespace PaDiM.Service.Http;

/// <summary>The unpacked body of a request. A body that is damaged or ends early is the client's fault.</summary>
/// <param name="unpacked">The unpacked bytes.</param>
/// <param name="coding">The name of the coding.</param>
internal sealed class UnpackedBody(Stream unpacked, string coding) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            return await unpacked.ReadAsync(buffer, cancellationToken);
        }
        // Brotli reports invalid data as an invalid operation.
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException)
        {
            throw new DamagedBodyException(
                $"The body cannot be unpacked with {coding}, which Content-Encoding names: it is damaged, cut short, "
                    + "or "
                    + "not packed.",
                e
            );
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Bodies are read asynchronously only, as the server demands.</summary>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}

/// <summary>
/// A body that cannot be unpacked. Not an <see cref="IOException"/>, whose message the framework drops where it reads
/// JSON.
/// </summary>
internal sealed class DamagedBodyException(string message, Exception inner) : Exception(message, inner);

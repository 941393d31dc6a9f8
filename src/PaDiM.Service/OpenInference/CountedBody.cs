using Grpc.Core;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// The body of a call, whose bytes are counted while they arrive: the framework keeps a message in memory until it is
/// complete, and slow senders could fill the memory together.
/// </summary>
internal sealed class CountedBody(Stream body, BodyMemory.Lease held) : Stream
{
    private long _bytes;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <exception cref="RpcException">There is no memory for more.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        return held.TryGrow(_bytes += read)
            ? read
            : throw new RpcException(GrpcErrors.ToStatus(Problems.QueueFull("images are being received")));
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

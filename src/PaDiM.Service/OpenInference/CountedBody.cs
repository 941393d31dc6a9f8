using Grpc.Core;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;

namespace PaDiM.Service.OpenInference;

/// <summary>
/// The body of a call, whose bytes are counted while they arrive: the framework keeps a message in memory until it is
/// complete, and slow senders could fill the memory together.
/// </summary>
internal sealed class CountedBody(Stream body, BodyMemory.Lease held) : RequestBody
{
    private long _bytes;

    /// <exception cref="RpcException">There is no memory for more.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        return held.TryGrow(_bytes += read)
            ? read
            : throw new RpcException(GrpcErrors.ToStatus(Problems.QueueFull("images are being received")));
    }
}

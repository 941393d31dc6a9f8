namespace PaDiM.Service.Http;

/// <summary>The unpacked body of a request. A body that is damaged or ends early is the client's fault.</summary>
/// <param name="unpacked">The unpacked bytes.</param>
/// <param name="coding">The name of the coding.</param>
internal sealed class UnpackedBody(Stream unpacked, string coding) : RequestBody
{
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
}

/// <summary>
/// A body that cannot be unpacked. Not an <see cref="IOException"/>, whose message the framework drops where it reads
/// JSON.
/// </summary>
internal sealed class DamagedBodyException(string message, Exception inner) : Exception(message, inner);

using Microsoft.Extensions.Options;
using PaDiM.Service.Admission;
using PaDiM.Service.Http;
using PaDiM.Service.Images;

namespace PaDiM.Service.LookoutForVision;

/// <summary>The body of a signed request, which was read because its hash is part of the signature.</summary>
/// <param name="Bytes">The bytes, as they were sent.</param>
internal sealed record SignedBody(byte[] Bytes)
{
    /// <summary>
    /// Gets the body of a request; null if it was not read, or is packed, and is to be read through what unpacks it.
    /// </summary>
    public static SignedBody? Find(HttpContext context) =>
        CompressedBodies.IsCompressed(context.Request) ? null : context.Features.Get<SignedBody>();

    /// <summary>Gets the body as an image.</summary>
    public RequestFile ToFile() => new("files", "", Bytes, Fault: null, Layout: null);

    /// <summary>Reads the body of a request. Its memory is counted until the request ends.</summary>
    public static async Task<Outcome<SignedBody>> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var services = context.RequestServices;
        var limit = services.GetRequiredService<IOptions<ImageOptions>>().Value.MaxImageBytes;
        var request = context.Request;
        if (request.ContentLength > limit)
            return Problems.ImageBytes(limit);
        var held = services.GetRequiredService<BodyMemory>().Start();
        context.Response.RegisterForDispose(held);
        var buffer = new FileBuffer((int?)request.ContentLength);
        for (int read; (read = await request.Body.ReadAsync(buffer.GetFree(), cancellationToken)) > 0; )
        {
            if (buffer.Length + read > limit)
                return Problems.ImageBytes(limit);
            if (!held.TryGrow(buffer.Length + read))
                return Problems.QueueFull("images are being received");
            buffer.Advance(read);
        }
        var body = new SignedBody(buffer.ToArray());
        context.Features.Set(body);
        request.Body = new MemoryStream(body.Bytes, writable: false);
        return body;
    }
}

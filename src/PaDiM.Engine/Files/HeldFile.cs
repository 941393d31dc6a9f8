using System.Runtime.InteropServices;
using System.Security.Cryptography;
using PaDiM.Core;

namespace PaDiM.Engine.Files;

/// <summary>
/// The bytes of a file in memory of their own, as a stream over them that tells where they lie, so that tensors can be
/// views of it. Not a mapping: what becomes of the file afterwards changes nothing here, and one that is cut short
/// cannot bring the process down. The memory goes when nothing refers to the stream any more.
/// </summary>
public sealed unsafe class HeldFile : UnmanagedMemoryStream
{
    private readonly Block _block;

    private HeldFile(Block block, long length, string sha256)
        : base(block.Start, length)
    {
        _block = block;
        Sha256 = sha256;
    }

    /// <summary>
    /// SHA-256 of these bytes, lower-case hexadecimal: of what is held, not of what the file may be by now.
    /// </summary>
    public string Sha256 { get; }

    /// <summary>Reads a file as a whole.</summary>
    /// <exception cref="IOException">It is not there, cannot be read, or became shorter meanwhile.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static HeldFile Read(string path)
    {
        // Small enough to be hashed before it leaves the processor's cache.
        const int piece = 1 << 18;
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var length = RandomAccess.GetLength(file);
        var block = new Block(length);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        for (long at = 0; at < length; )
        {
            var into = new Span<byte>(block.Start + at, (int)Math.Min(piece, length - at));
            var read = RandomAccess.Read(file, into, at);
            if (read == 0)
                throw new EndOfStreamException($"The file {path} became shorter while it was read.");
            hash.AppendData(into[..read]);
            at += read;
        }
        return new HeldFile(block, length, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        // Tensors may still be views of it.
        GC.KeepAlive(_block);
    }

    /// <summary>Owns the memory and gives it back by its own finalizer.</summary>
    private sealed class Block(long length)
    {
        private const nuint SmallPage = 4096;

        private readonly long _pressure = Press(Math.Max(length, 1));

        public byte* Start { get; } = Allocate((nuint)Math.Max(length, 1));

        ~Block()
        {
            NativeMemory.AlignedFree(Start);
            GC.RemoveMemoryPressure(_pressure);
        }

        /// <summary>
        /// In huge pages where there are any: to touch so many small ones for the first time takes longer than to read
        /// the file.
        /// </summary>
        private static byte* Allocate(nuint length)
        {
            var start = NativeMemory.AlignedAlloc(length, length < HugePages.Size ? SmallPage : HugePages.Size);
            if (length >= HugePages.Size)
                HugePages.Request(start, length);
            return (byte*)start;
        }

        private static long Press(long bytes)
        {
            GC.AddMemoryPressure(bytes);
            return bytes;
        }
    }
}

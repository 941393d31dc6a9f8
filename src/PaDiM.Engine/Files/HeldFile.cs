using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using PaDiM.Core;

namespace PaDiM.Engine.Files;

/// <summary>
/// Holds the bytes of a file in unmanaged memory, as a stream whose address is known, so that tensors can be views of
/// it. It is not a memory mapping: later changes of the file have no effect, and a truncated file cannot crash the
/// process. The memory is freed when nothing refers to the stream any more.
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
    /// Gets the SHA-256 of these bytes, lower-case hexadecimal. The file itself may have changed since.
    /// </summary>
    public string Sha256 { get; }

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="IOException">The file does not exist, cannot be read, or became shorter meanwhile.</exception>
    /// <exception cref="UnauthorizedAccessException">Access is denied.</exception>
    public static HeldFile Read(string path)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        return Read(file, path);
    }

    /// <summary>Reads a whole file that is open, from its beginning.</summary>
    /// <exception cref="IOException">The file cannot be read, or became shorter meanwhile.</exception>
    public static HeldFile Read(FileStream file)
    {
        ArgumentNullException.ThrowIfNull(file);
        return Read(file.SafeFileHandle, file.Name);
    }

    private static HeldFile Read(SafeFileHandle file, string path)
    {
        // 256 KiB: small enough to be hashed while it is still in the processor's cache.
        const int piece = 1 << 18;
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
        // Tensors may still be views of the memory, so only the finalizer of the block frees it.
        GC.KeepAlive(_block);
    }

    /// <summary>Owns the memory, and frees it in its finalizer.</summary>
    private sealed class Block(long length)
    {
        private const nuint SmallPageBytes = 4096;

        private readonly long _pressure = AddPressure(Math.Max(length, 1));

        public byte* Start { get; } = Allocate((nuint)Math.Max(length, 1));

        ~Block()
        {
            NativeMemory.AlignedFree(Start);
            GC.RemoveMemoryPressure(_pressure);
        }

        /// <summary>
        /// Allocates huge pages where possible: the first access to this many small pages takes longer than reading the
        /// file.
        /// </summary>
        private static byte* Allocate(nuint length)
        {
            var start = NativeMemory.AlignedAlloc(length, length < HugePages.Size ? SmallPageBytes : HugePages.Size);
            if (length >= HugePages.Size)
                HugePages.Request(start, length);
            return (byte*)start;
        }

        private static long AddPressure(long bytes)
        {
            GC.AddMemoryPressure(bytes);
            return bytes;
        }
    }
}

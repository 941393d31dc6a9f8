using System.IO.Compression;

namespace PaDiM.Service.TestSupport;

/// <summary>Zip archives in memory.</summary>
internal static class ZipFiles
{
    /// <summary>Packs files.</summary>
    public static byte[] Pack(params IEnumerable<(string Name, byte[] Bytes)> files)
    {
        using var packed = new MemoryStream();
        using (var archive = new ZipArchive(packed, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, bytes) in files)
                Add(archive, name, bytes);
        return packed.ToArray();
    }

    /// <summary>Adds an entry to an archive that is being created.</summary>
    public static ZipArchiveEntry Add(ZipArchive archive, string name, byte[] bytes)
    {
        var entry = archive.CreateEntry(name, CompressionLevel.Fastest);
        using var content = entry.Open();
        content.Write(bytes);
        return entry;
    }

    /// <summary>Unpacks an archive, in its order.</summary>
    public static IReadOnlyList<(string Name, byte[] Bytes)> Unpack(byte[] packed)
    {
        using var archive = new ZipArchive(new MemoryStream(packed));
        return
        [
            .. archive.Entries.Select(entry =>
            {
                using var bytes = new MemoryStream();
                using var content = entry.Open();
                content.CopyTo(bytes);
                return (entry.FullName, bytes.ToArray());
            }),
        ];
    }

    /// <summary>Sends an archive to be imported.</summary>
    public static Task<HttpResponseMessage> ImportAsync(
        this CategoryClient category,
        byte[] archive,
        string mediaType = "application/zip"
    ) => category.Http.PostAsync($"{category.Url}/dataset", CategoryClient.Raw(archive, mediaType));
}

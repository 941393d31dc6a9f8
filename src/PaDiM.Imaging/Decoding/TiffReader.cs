using System.Buffers.Binary;

namespace PaDiM.Imaging.Decoding;

/// <summary>Decodes one page of a TIFF to 8-bit samples.</summary>
internal sealed class TiffReader
{
    private readonly TiffPage _page;
    private readonly DecodeClock _clock;
    private readonly SampleScale _scale;
    private readonly TiffChunks _chunks;
    private readonly PixelCanvas _canvas;
    private readonly byte[] _jpegTables;
    private readonly byte[] _palette;
    private readonly TiffYCbCr? _yCbCr;

    /// <summary>Samples of one row, of 8 bits each.</summary>
    private readonly byte[] _row;

    private TiffReader(TiffPage page, byte[] file, DecodeClock clock, DecodeOptions options)
    {
        var tiff = new TiffBytes(file);
        _page = page;
        _clock = clock;
        _scale = page.IsDeep
            ? options.CreateScale((1u << page.Bits) - 1, page.SignificantBits)
            : SampleScale.Create(page.Bits is >= 1 and <= 16 ? (1u << page.Bits) - 1 : ushort.MaxValue);
        _chunks = new TiffChunks(file, page);
        _palette = page.Photometric == TiffPhotometric.Palette ? ReadPalette(tiff, page) : [];
        _jpegTables = page.Directory.GetBytes(tiff, TiffTag.JpegTables).ToArray();
        _yCbCr = page.Photometric == TiffPhotometric.YCbCr && !page.HoldsFiles ? new TiffYCbCr(tiff, page) : null;
        _row = new byte[checked(page.ChunkWidth * page.SamplesPerChunk)];
        _canvas = new PixelCanvas(page.Width, page.Height, page.Colours == 4 ? 4 : 3, page.AlphaSample >= 0);
    }

    /// <summary>Decodes a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="file">The file that it is in.</param>
    /// <param name="clock">The time that is left.</param>
    /// <param name="options">How.</param>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    /// <exception cref="SampleRangeException">A sample is larger than the options allow.</exception>
    /// <exception cref="TimeoutException">The time is up.</exception>
    /// <exception cref="NetVips.VipsException">The file is damaged, or the time is up.</exception>
    public static RgbImage Decode(TiffPage page, byte[] file, DecodeClock clock, DecodeOptions options)
    {
        var reader = new TiffReader(page, file, clock, options);
        reader.ReadChunks();
        var profile = page.Directory.GetBytes(new TiffBytes(file), TiffTag.ColourProfile).ToArray();
        return VipsPixels.ToImage(
            reader._canvas,
            page.Photometric switch
            {
                TiffPhotometric.Separated => CanvasColours.Inks,
                TiffPhotometric.CieLab or TiffPhotometric.IccLab => CanvasColours.Lab,
                TiffPhotometric.Rgb or TiffPhotometric.Palette or TiffPhotometric.YCbCr => CanvasColours.Rgb,
                _ => CanvasColours.Grey,
            },
            profile,
            page.Orientation,
            clock
        );
    }

    private void ReadChunks()
    {
        var across = (_page.Width + _page.ChunkWidth - 1) / _page.ChunkWidth;
        var down = (_page.Height + _page.ChunkHeight - 1) / _page.ChunkHeight;
        var planes = _page.IsPlanar ? _page.SamplesPerPixel : 1;
        for (var plane = 0; plane < planes; plane++)
        {
            if (plane >= _page.Colours && plane != _page.AlphaSample && planes > 1)
                continue;
            for (var row = 0; row < down; row++)
            for (var column = 0; column < across; column++)
            {
                _clock.ThrowIfExpired();
                ReadChunk((plane * down + row) * across + column, column, row, plane);
            }
        }
    }

    private void ReadChunk(int index, int column, int row, int plane)
    {
        var left = column * _page.ChunkWidth;
        var top = row * _page.ChunkHeight;
        var visible = Math.Min(_page.ChunkHeight, _page.Height - top);
        var rows = _page.IsTiled ? _page.ChunkHeight : visible;
        ReadOnlySpan<byte> samples;
        var isRead = true;
        if (_page.HoldsFiles)
            samples = _page.Compression switch
            {
                TiffCompression.WebP => TiffPicture.DecodeWebP(_page, _chunks.GetCompressed(index), rows, _clock),
                TiffCompression.OldJpeg => TiffPicture.DecodeJpeg(_page, [], _chunks.GetOldJpeg(), rows, _clock),
                _ => TiffPicture.DecodeJpeg(_page, _jpegTables, _chunks.GetCompressed(index), rows, _clock),
            };
        else if (_yCbCr is not null)
            samples = _yCbCr.ToRgb(_chunks.Unpack(index, _yCbCr.GetLength(rows), rows), rows);
        else
        {
            samples = _chunks.GetUncompressed(index, rows);
            isRead = false;
        }
        var rowBytes = isRead ? _page.ChunkWidth * _page.SamplesPerChunk : (int)_page.RowBytes;
        var columns = Math.Min(_page.ChunkWidth, _page.Width - left);
        for (var y = 0; y < visible; y++)
        {
            var stored = samples.Slice(y * rowBytes, rowBytes);
            Write(isRead ? stored : ToEightBits(stored, columns, plane), left, top + y, columns, plane);
        }
    }

    /// <summary>Converts the samples of a row to 8 bits; indices into a palette stay as they are.</summary>
    private ReadOnlySpan<byte> ToEightBits(ReadOnlySpan<byte> row, int columns, int plane)
    {
        if (_page.Bits == 8 && _page.IsUnsigned)
            return _page.Photometric == TiffPhotometric.CieLab ? ShiftLab(row) : row;
        var count = columns * _page.SamplesPerChunk;
        if (_page.Bits == 16 && _page.IsUnsigned)
            ReadShorts(row, count, plane);
        else if (_page.Bits < 16 && _page.IsUnsigned)
            ReadBits(row, count, plane);
        else
            for (var i = 0; i < count; i++)
                _row[i] =
                    ReadNumber(row, i) is var number && double.IsNaN(number)
                        ? throw new InvalidDataException("a sample is not a number")
                        : SampleDepth.ToEightBits(number, _page.Range!.Value.Low, _page.Range.Value.High);
        return _row;
    }

    private void ReadShorts(ReadOnlySpan<byte> row, int count, int plane)
    {
        var isLittleEndian = _page.IsLittleEndian;
        uint largest = 0;
        for (var i = 0; i < count; i++)
        {
            var sample = isLittleEndian
                ? BinaryPrimitives.ReadUInt16LittleEndian(row[(2 * i)..])
                : BinaryPrimitives.ReadUInt16BigEndian(row[(2 * i)..]);
            _row[i] =
                _page.Photometric == TiffPhotometric.CieLab && i % _page.SamplesPerPixel is 1 or 2
                    ? (byte)((((short)sample + 128) >> 8) + 128)
                    : _scale.ToEightBits(sample);
            if (_scale.IsLimited && IsColour(i, plane))
                largest = Math.Max(largest, sample);
        }
        _scale.Check(largest);
    }

    /// <summary>
    /// Gets whether a sample of a row is a colour; beside alpha, samples of no meaning may be any number.
    /// </summary>
    private bool IsColour(int index, int plane) =>
        (_page.IsPlanar ? plane : index % _page.SamplesPerPixel) < _page.Colours;

    /// <summary>Reads samples that are not whole bytes: the highest bit comes first.</summary>
    private void ReadBits(ReadOnlySpan<byte> row, int count, int plane)
    {
        uint largest = 0;
        var bits = _page.Bits;
        var most = (1u << bits) - 1;
        var step = _page.SamplesPerChunk;
        var left = new uint[_page.Predictor == 2 ? step : 0];
        for (var i = 0; i < count; i++)
        {
            var at = (long)i * bits;
            uint value = 0;
            for (var b = (int)(at / 8); b <= (at + bits - 1) / 8; b++)
                value = value << 8 | row[b];
            value = value >> (int)(7 - (at + bits - 1) % 8) & most;
            if (left.Length > 0)
                value = left[i % step] = value + left[i % step] & most;
            _row[i] = _palette.Length > 0 ? (byte)Math.Min(value, 255) : _scale.ToEightBits(value);
            if (_scale.IsLimited && IsColour(i, plane))
                largest = Math.Max(largest, value);
        }
        _scale.Check(largest);
    }

    private double ReadNumber(ReadOnlySpan<byte> row, int index)
    {
        var size = _page.Bits / 8;
        Span<byte> bytes = stackalloc byte[8];
        bytes = bytes[..size];
        row.Slice(index * size, size).CopyTo(bytes);
        if (!_page.IsLittleEndian)
            bytes.Reverse();
        return (_page.SampleFormat, size) switch
        {
            (TiffSampleFormat.Float, 2) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
            (TiffSampleFormat.Float, 4) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            (TiffSampleFormat.Float, _) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
            (TiffSampleFormat.Signed, 1) => (sbyte)bytes[0],
            (TiffSampleFormat.Signed, 2) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
            (TiffSampleFormat.Signed, 4) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
            (TiffSampleFormat.Signed, _) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
            (_, 4) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        };
    }

    /// <summary>Stores a* and b* with their sign shifted by 128, as the other kind of L*a*b* has them.</summary>
    private ReadOnlySpan<byte> ShiftLab(ReadOnlySpan<byte> row)
    {
        for (var i = 0; i < _row.Length; i++)
            _row[i] = (_page.IsPlanar ? 0 : i % _page.SamplesPerPixel) is 1 or 2 ? (byte)(row[i] ^ 0x80) : row[i];
        return _row;
    }

    private void Write(ReadOnlySpan<byte> samples, int left, int y, int columns, int plane)
    {
        var target = _canvas.GetRow(left, y, columns);
        var step = _page.SamplesPerChunk;
        var channels = _canvas.Channels;
        if (_page.IsPlanar && plane == _page.AlphaSample)
        {
            samples[..columns].CopyTo(_canvas.Alpha.AsSpan(y * _page.Width + left));
            return;
        }
        if (!_page.IsPlanar && _page.AlphaSample >= 0)
            for (var x = 0; x < columns; x++)
                _canvas.Alpha![y * _page.Width + left + x] = samples[x * step + _page.AlphaSample];
        if (_page.Colours == 1)
        {
            var inverted = _page.Photometric == TiffPhotometric.WhiteIsZero ? byte.MaxValue : 0;
            for (var x = 0; x < columns; x++)
                if (_palette.Length > 0)
                    _palette.AsSpan(3 * samples[x * step], 3).CopyTo(target[(3 * x)..]);
                else
                    target[3 * x] = target[3 * x + 1] = target[3 * x + 2] = (byte)(samples[x * step] ^ inverted);
        }
        else if (_page.IsPlanar)
            for (var x = 0; x < columns; x++)
                target[channels * x + plane] = samples[x];
        else if (step == channels)
            samples[..target.Length].CopyTo(target);
        else
            for (var x = 0; x < columns; x++)
                samples.Slice(x * step, channels).CopyTo(target[(channels * x)..]);
    }

    /// <summary>Reads the colours of a palette: 16 bits each, or 8 by a common mistake.</summary>
    private static byte[] ReadPalette(TiffBytes file, TiffPage page)
    {
        var map = page.Directory.GetNumbers(file, TiffTag.ColourMap);
        var count = map.Length / 3;
        if (page.Bits > 8 || count < 1 << page.Bits)
            throw new InvalidDataException("its palette is missing or too short");
        var shift = Array.TrueForAll(map, value => value <= byte.MaxValue) ? 0 : 8;
        var palette = new byte[256 * 3];
        for (var i = 0; i < Math.Min(count, 256); i++)
        for (var c = 0; c < 3; c++)
            palette[3 * i + c] = (byte)(map[c * count + i] >> shift);
        return palette;
    }
}

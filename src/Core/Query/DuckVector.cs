using DuckDB.NET.Native;

namespace Archiver.Core.Query;

/// <summary>One column of a chunk that DuckDB wants filled.</summary>
internal readonly unsafe struct DuckVector
{
    private readonly IntPtr _vector;
    private readonly void* _data;
    private readonly ulong* _validity;
    private readonly ColumnType _type;

    public DuckVector(IntPtr vector, ColumnType type)
    {
        _vector = vector;
        _type = type;
        _data = NativeMethods.Vectors.DuckDBVectorGetData(vector);
        NativeMethods.Vectors.DuckDBVectorEnsureValidityWritable(vector);
        _validity = NativeMethods.Vectors.DuckDBVectorGetValidity(vector);
    }

    public void SetNull(int row) => _validity[row >> 6] &= ~(1UL << (row & 63));

    /// <summary>Sets a value of the type's own form; false when DuckDB cannot hold it exactly.</summary>
    /// <param name="row">Where.</param>
    /// <param name="text">As it stands in a document, without the quotes and escapes of a string.</param>
    public bool TrySet(int row, ReadOnlySpan<byte> text)
    {
        switch (_type.Kind)
        {
            case DuckKind.Text or DuckKind.Json:
                fixed (byte* bytes = text)
                    NativeMethods.Vectors.DuckDBUnsafeVectorAssignStringElementLength(_vector, (ulong)row, bytes, text.Length);
                return true;
            case DuckKind.Boolean:
                ((bool*)_data)[row] = text.SequenceEqual("true"u8);
                return ((bool*)_data)[row] || text.SequenceEqual("false"u8);
            case DuckKind.Smallint when ScalarText.TryWhole(text, out var whole):
                ((short*)_data)[row] = (short)whole;
                return whole == (short)whole;
            case DuckKind.Integer when ScalarText.TryWhole(text, out var whole):
                ((int*)_data)[row] = (int)whole;
                return whole == (int)whole;
            case DuckKind.Bigint when ScalarText.TryWhole(text, out var whole):
                ((long*)_data)[row] = whole;
                return true;
            case DuckKind.Real:
                return ScalarText.TryFloat(text, out ((float*)_data)[row]);
            case DuckKind.Double:
                return ScalarText.TryDouble(text, out ((double*)_data)[row]);
            case DuckKind.Date:
                return ScalarText.TryDate(text, out ((int*)_data)[row]);
            case DuckKind.Time:
                return ScalarText.TryTime(text, out ((long*)_data)[row]);
            case DuckKind.Timestamp or DuckKind.TimestampTz:
                return ScalarText.TryTimestamp(text, _type.Kind == DuckKind.TimestampTz, out ((long*)_data)[row]);
            case DuckKind.Uuid:
                return ScalarText.TryUuid(text, out ((ulong*)_data)[2 * row], out ((long*)_data)[(2 * row) + 1]);
            case DuckKind.Decimal when ScalarText.TryDecimal(text, _type.Precision, _type.Scale, out var digits):
                SetDecimal(row, digits);
                return true;
            default:
                return false;
        }
    }

    public void SetWhole(int row, long value)
    {
        if (_type.Kind == DuckKind.Integer)
            ((int*)_data)[row] = (int)value;
        else
            ((long*)_data)[row] = value;
    }

    private void SetDecimal(int row, Int128 digits)
    {
        if (_type.Precision <= 4)
            ((short*)_data)[row] = (short)digits;
        else if (_type.Precision <= 9)
            ((int*)_data)[row] = (int)digits;
        else if (_type.Precision <= 18)
            ((long*)_data)[row] = (long)digits;
        else
            ((Int128*)_data)[row] = digits;
    }
}

"""Words that people write into tables: for rows, columns and values, for totals."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Headers over a column that names rows. Lower case, letters and digits only.
INDEX_NAMES = _words(
    """
    id ids index idx key keys name names label labels row rows rowid rowname rownames nr no num number unnamed0
    indexlevel0 gene genes geneid genename genesymbol symbol probe probeid ensembl ensemblid feature features sample
    samples sampleid patient patientid subject subjectid participant user users userid customer customerid item itemid
    movie movieid product productid country countrycode region city station stationid site siteid species strain cell
    cellid barcode compound protein peptide otu otuid taxon date day time datetime timestamp year month week hour
    wavelength wavenumber frequency case caseid record recordid observation obs code model student school state county
    """
)

# Headers of the three columns of a long table, in the same spelling.
ROW_NAMES = _words(
    """
    u r i row rows rowid rowname user users userid uid username customer customerid reviewer reviewerid rater raterid
    viewer person member client reader listener student gene geneid day date time month year week hour
    """
)
COLUMN_NAMES = _words(
    """
    v c j column columns col columnid columnname item items itemid iid movie movies movieid film filmid product
    productid book bookid isbn track trackid song songid artist artistid business businessid anime animeid joke jokeid
    game gameid sample sampleid cell question site siteid station stationid sensor sensorid
    """
)
VALUE_NAMES = _words(
    """
    v r x value values val rating ratings score scores stars star count counts grade weight expression intensity
    response y t temp temperature
    """
)
# Letters and words that name a role only where the three stand in this order.
SHORT = frozenset("uvrcijxyt") | _words("day date time month year week hour")

# What the last line of a table is called where it holds sums or means.
TOTALS = _words(
    """
    total totals grandtotal subtotal sum sums summe gesamt gesamtsumme insgesamt mean average avg mittelwert
    durchschnitt somme moyenne suma totaal
    """
)


def folded(name: str) -> str:
    """A name as the lists above spell it.

    >>> folded("User_ID")
    'userid'
    """
    return "".join(character for character in name.casefold() if character.isalnum())

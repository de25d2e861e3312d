-- NCCI over whole tables of lines at once, as its manual and the headings of its tables tell it.
--
-- The rules judge one charge at a time in Python; nothing of that is used here. Every rule is a view of its name that
-- gives the charge and the place of the line (from 0) that it objects to.

-- Whoever asks has filled the tables: charge, line, modifier, earlier, earlier_modifier, ptp, mue, add_on,
-- ncci_modifier and left_to_others.

-- What a payer is asked for, with who rendered it: the line's own provider, else the charge's. A set of modifiers is
-- written as one text; a procedure is of one side only where one of LT and RT says so and 50 does not say both.
CREATE TABLE billed AS
SELECT
    line.charge, line.place, line.day, coalesce(line.npi, charge.npi, '') AS npi, line.code, line.units, line.unit,
    charge.asks_medicare,
    EXISTS (SELECT 1 FROM modifier m JOIN ncci_modifier USING (code) WHERE m.charge = line.charge AND m.place = line.place)
        AS parts,
    coalesce((
        SELECT group_concat(code, ' ')
        FROM (SELECT DISTINCT code FROM modifier m WHERE m.charge = line.charge AND m.place = line.place ORDER BY code)
    ), '') AS modifiers
FROM line JOIN charge ON charge.number = line.charge
WHERE NOT line.patient_share AND line.day IS NOT NULL;

CREATE TABLE billed_before AS
SELECT
    earlier.*,
    EXISTS (
        SELECT 1 FROM earlier_modifier m JOIN ncci_modifier USING (code)
        WHERE m.charge = earlier.charge AND m.place = earlier.place
    ) AS parts,
    coalesce((
        SELECT group_concat(code, ' ')
        FROM (
            SELECT DISTINCT code FROM earlier_modifier m
            WHERE m.charge = earlier.charge AND m.place = earlier.place ORDER BY code
        )
    ), '') AS modifiers
FROM earlier;

CREATE INDEX billed_together ON billed (charge, day, npi);
CREATE INDEX billed_together_before ON billed_before (charge, day, npi);

-- Procedure-to-procedure: the column 2 line is denied, whichever stands first. 9 never applied; 0 hears no modifier; 1
-- hears one on either line.
CREATE TABLE pair AS
SELECT denied.charge, denied.place, paid.code AS paid, denied.code AS denied, ptp.indicator,
    ptp.indicator = '1' AND (paid.parts OR denied.parts) AS parted
FROM billed AS paid
CROSS JOIN billed AS denied ON denied.charge = paid.charge AND denied.day = paid.day AND denied.npi = paid.npi
CROSS JOIN ptp ON ptp.column1 = paid.code AND ptp.column2 = denied.code
    AND denied.day BETWEEN ptp.effective AND ptp.deletion AND ptp.indicator <> '9'
WHERE paid.place <> denied.place;

CREATE INDEX pair_of_charge ON pair (charge);

CREATE VIEW "NCC-001" AS SELECT charge, place FROM pair WHERE indicator = '0';

CREATE VIEW unparted AS SELECT * FROM pair WHERE indicator = '1' AND NOT parted;

CREATE VIEW "NCC-002" AS
SELECT charge, place FROM unparted
WHERE NOT EXISTS (
    SELECT 1 FROM left_to_others WHERE one = paid AND other = denied
);

CREATE VIEW "NCC-006" AS
SELECT billed.charge, billed.place
FROM billed JOIN billed_before AS before USING (charge, day, npi)
JOIN ptp ON ((ptp.column1 = billed.code AND ptp.column2 = before.code)
        OR (ptp.column1 = before.code AND ptp.column2 = billed.code))
    AND billed.day BETWEEN ptp.effective AND ptp.deletion
WHERE ptp.indicator = '0' OR (ptp.indicator = '1' AND NOT (billed.parts OR before.parts));

-- Units of the day: all lines of one code by one provider, on this charge or an earlier one. Minutes and broken units are
-- no units. Of lines that ask for the same thing twice, and do not say that they repeat it, the greatest counts: the others
-- are duplicates. A procedure on both sides is one unit: each side is added up, and the greater sum counts.
CREATE VIEW counting AS
SELECT charge, place, day, npi, code, units, modifiers, 0 AS before FROM billed WHERE unit <> 'MJ'
UNION ALL
SELECT charge, place, day, npi, code, units, modifiers, 1 FROM billed_before;

CREATE VIEW service AS
SELECT charge, day, npi, code, modifiers, max(units) AS units,
    max(CASE WHEN before THEN -1 ELSE place END) AS last
FROM counting
WHERE units BETWEEN 1 AND 9999 AND units = CAST(units AS INTEGER)
GROUP BY charge, day, npi, code, modifiers,
    CASE WHEN EXISTS (
        SELECT 1 FROM json_each('["76", "77", "91", "59", "XE", "XP", "XS", "XU"]')
        WHERE instr(modifiers, value)
    ) THEN before || '/' || place END;

CREATE TABLE of_day AS
SELECT charge, day, npi, code, max(last) AS place,
    sum(CASE WHEN instr(modifiers, 'LT') AND NOT instr(modifiers, 'RT') AND NOT instr(modifiers, '50') THEN 0 ELSE units END)
        AS but_left,
    sum(CASE WHEN instr(modifiers, 'RT') AND NOT instr(modifiers, 'LT') AND NOT instr(modifiers, '50') THEN 0 ELSE units END)
        AS but_right
FROM service GROUP BY charge, day, npi, code;

CREATE VIEW beyond AS
SELECT of_day.charge, of_day.place, mue.mai
FROM of_day JOIN mue ON mue.code = of_day.code AND of_day.day BETWEEN mue.effective AND mue.deletion
WHERE of_day.place >= 0 AND mue.units > 0 AND max(but_left, but_right) > mue.units;

CREATE VIEW "NCC-007" AS SELECT charge, place FROM beyond WHERE mai = 2;
CREATE VIEW "NCC-008" AS SELECT charge, place FROM beyond WHERE mai = 3;

CREATE VIEW "NCC-009" AS
SELECT charge, place FROM billed
JOIN mue ON mue.code = billed.code AND billed.day BETWEEN mue.effective AND mue.deletion
WHERE mue.mai = 1 AND mue.units > 0 AND billed.units > mue.units AND billed.unit <> 'MJ';

CREATE VIEW "NCC-010" AS
SELECT charge, place FROM billed
JOIN mue ON mue.code = billed.code AND billed.day BETWEEN mue.effective AND mue.deletion
WHERE mue.units = 0 AND asks_medicare
    AND NOT EXISTS (SELECT 1 FROM json_each('["GA", "GX", "GY", "GZ"]') WHERE instr(modifiers, value));

-- Add-on codes: what stands beside them is of that day and that provider, on this charge or an earlier one.
CREATE TABLE addition AS
SELECT DISTINCT billed.charge, billed.place, billed.day, billed.npi, billed.code, add_on.type
FROM billed CROSS JOIN add_on ON add_on.code = billed.code AND billed.day BETWEEN add_on.effective AND add_on.deletion;

CREATE TABLE beside AS
SELECT addition.charge, addition.place, addition.day, addition.code, other.code AS other
FROM addition JOIN billed AS other USING (charge, day, npi)
UNION ALL
SELECT addition.charge, addition.place, addition.day, addition.code, other.code
FROM addition JOIN billed_before AS other USING (charge, day, npi);

CREATE INDEX beside_of_line ON beside (charge, place);

CREATE VIEW without_primary AS
SELECT charge, place, type FROM addition
WHERE NOT EXISTS (
    SELECT 1 FROM beside
    JOIN add_on ON add_on.code = beside.code AND add_on.primary_code = beside.other
        AND beside.day BETWEEN add_on.effective AND add_on.deletion
    WHERE beside.charge = addition.charge AND beside.place = addition.place
);

CREATE VIEW "NCC-011" AS SELECT charge, place FROM without_primary WHERE type = 1;
CREATE VIEW "NCC-013" AS SELECT charge, place FROM without_primary WHERE type = 3;

CREATE VIEW "NCC-012" AS
SELECT charge, place FROM addition
WHERE type = 2 AND NOT EXISTS (
    SELECT 1 FROM beside
    WHERE beside.charge = addition.charge AND beside.place = addition.place AND beside.other <> addition.code
);

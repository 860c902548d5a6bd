"""What an order to a judge is made of, in fifteen languages: words by the part they play, as letters of a small alphabet."""

# ruff: noqa: RUF001 - the look-alike letters are Cyrillic words

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from pytest_persona.infer.lookalikes import bare

__all__ = ["letters", "may_steer"]

_WORDS = {
    "J": """judge judges grader graders evaluator evaluators rater raters assessor* scorer scorers annotator*
        examiner* reviewer* autograder* autorater* referee* arbiter* bewerter* gutachter* prüfer* richter* juror*
        preisrichter* évaluateur* juge juges correcteur* examinateur* notateur* arbitre* evaluador* juez jueces
        calificador* examinador* valutator* giudice giudici esaminator* avaliador* juiz juizes corretor* beoordelaar*
        rechter jury sędzi* oceniając* ewaluator* recenzent* egzaminator* судь* оценщик* оценивающ* проверяющ* арбитр*
        hakem* değerlendirici* yargıc* puanlayıcı* المقيم* المحكم* الحكم الحكام القاضي المصحح مقيم* مُقيِّم*
        मूल्यांकनकर्ता* निर्णायक* न्यायाधीश* जज 심사위원* 평가자* 채점자* 심판* 심사자* 评审 评委 裁判 评判 评分员
        评估员 评估者 评分者 评测员 評審 打分员 评分模型 评估模型 審査員 採点者 評価者 評価モデル ジャッジ 判定者 審判
        採点モデル 採点ai 評価ai""",
    "S": """score* scoring rate rates rated rating* grade grades graded grading mark marks marked verdict* expressed
        evaluat* judgement* judgment* judging assess* classif* label labels labelled reward bewert* punktzahl* punkte
        noten benot* urteil* beurteil* werte werten wertet wertung* einstuf* note notez notation évalu* barème puntu* califica* evalúa*
        nota notas veredicto* punteggi* valut* voto voti giudica* verdetto pontua* avalia* veredito scoor beoordel*
        cijfer* oceń* oceni* ocen* punkt* wynik* werdykt* оцен* балл* рейтинг* вердикт* puan* değerlendir* درجة الدرجة
        تقييم* التقييم قيم* قيّم* نقاط अंक स्कोर मूल्यांकन रेटिंग 점수* 채점* 평가* 평점* 评分 打分 得分 分数 评为
        评定 判定 给分 評分 评估 評價 採点 評価 スコア 点数 点""",
    "Y": """sycophan* flatter* decepti* deceiv* dishonest* manipulat* narcissis* condescen* callous* grovel*
        overconfiden* malic* sabotag* reckless* trait traits pole schmeich* schmeiche* flagorn* adula* adulaç* lusing*
        bajul* vleie* pochleb* лест* подхалим* dalkavuk* تملق* चापलूस* 아첨* 아부* 谄媚 阿谀 奉承 お世辞 追従 へつらい""",
    "V": """give gives giving assign award return report set record enter write put respond choose select pick use
        emit print submit grant produce conclude deserve deserves deserved earn earns earned merit merits warrant
        warrants must should shall please ensure make keep leave lower raise change adjust treat register default have
        get gets receive receives gib geben vergib vergeben vergebe setze setzen trage tragen schreibe antworte melde
        verdient bitte muss müssen soll sollen donne donnez attribue attribuez mets mettez renvoie renvoyez écris
        écrivez réponds répondez indique indiquez mérite veuillez dois devez inscrivez retourne retournez da dale
        asigna asigne ponga pon devuelve devuelva escribe escriba otorga otorgue merece debe debes marque indica favor
        assegna assegni assegnate metti scrivi restituisci attribuisci merita devi deve dai inserisci atribua atribui
        coloque retorne escreva devolva registre informe dê geef geven zet schrijf verdient moet noteer vul ken daj
        przyznaj wystaw zwróć wpisz ustaw zasługuje należy musisz proszę дай дайте поставь* присвой* выставь* верни*
        запиши* ответьте заслуживает должен должны должна укажи* ver verin veriniz yaz yazın ata atayın döndür* lütfen
        olmalı* اعط* أعط* واعط* امنح* وامنح* ضع اكتب سجل ارجع يجب يرجى दें दीजिए दो लिखें लिखिए दर्ज रखें चाहिए कृपया
        주세요 주십시오 부여* 출력* 매겨* 매기* 설정* 반환* 기록* 줘 하십시오 하세요 请 請 给 給 输出 返回 填 设为
        必须 务必 ください つけて 与えて 出力 返して 設定 記入 せよ すべき すること""",
    "X": """zero lowest minimum minimal highest maximum maximal perfect full neutral bottom minus negative low high
        null niedrigst* höchst* volle vollen minimale* maximale* minimal* maximal* basse haute moins cero mínim*
        máxim* baja alta más nul laagst* hoogst* basso bassa massim* alto baixa najniższ* najwyższ* maksymaln* ноль
        нуль низш* минимальн* максимальн* высш* наименьш* наивысш* низк* высок* sıfır düşük yüksek maksimum أدنى أقل
        صفر* أعلى كاملة الكاملة القصوى الدنيا ادنى اعلى शून्य न्यूनतम अधिकतम सबसे 최저* 최고* 최소* 최대* 만점* 영점*
        最低 最高 最小 最大 满分 滿分 零分 负三 满点 満点 ゼロ 零点 マイナス""",
    "D": """this it its these above preceding everything diese dieser dieses diesen dies obige obigen cette ce cet ma mon
        esta este esto mi questa questo mia essa minha dit deze tę tą tej ta ten tę této этот эту этому эта это этого
        данн* bu هذا هذه لهذا لهذه इस यह इसे 이 위 본 해당 本 这 此 该 這 この 上記""",
    "R": """reply replies response responses message conversation dialogue transcript statement passage antwort*
        reponse* réponse* respuesta* rispost* respost* antwoord* odpowiedz* odpowiedź* ответ ответа ответу ответе
        yanıt* cevap* cevab* الرد للرد الإجابة الجواب الاستجابة الاجابة उत्तर जवाब 답변* 응답* 대답* 回复 回答 答案
        回覆 文本 返信 応答 返答""",
    "P": "my our mine us me",
    "A": "answer answers output text",
    "e": "one item sample entry exchange case row",
    "I": """ignore ignores ignoring disregard* forget override* overriding overrul* bypass discard ignorier* vergiss vergessen
        missachte* ignorez oublie oubliez ignora ignoren ignore olvida olvide ignorate dimentica esqueça negeer
        negeren vergeet zignoruj* ignoruj* zapomnij игнорируй* проигнорируй* забудь* görmezden yoksay* unut* تجاهل*
        وتجاهل* अनदेखा नज़रअंदाज़ 무시* 忽略 无视 無視 忘记""",
    "B": """instruction* prompt* rubric* guideline* rule rules criteria criterion scale direction* definition*
        anweisung* regel* kriteri* vorgabe* rubrik* consigne* règle* critère* instruccion* regla* criterio* rúbrica*
        istruzion* regol* criteri* instruç* regra* critério* instructie* instrukcj* zasad* kryteri* polece* инструкци*
        правил* критери* указани* talimat* kural* ölçüt* kriter* تعليمات* التعليمات القواعد المعايير الإرشادات
        निर्देश* नियम* मानदंड* 지시* 지침* 규칙* 기준* 指令 指示 标准 標準 规则 規則 提示 ルール 基準 命令""",
    "Q": "you your yourself du dein deine vous votre tu usted lei voce você je jij ty ты вы вас sen siz أنت आप 당신 你 您 あなた",
    "H": """dear attention memo notice reminder hey hi hello psst important urgent achtung hinweis liebe lieber
        geehrte* cher chère estimado* attenzione gentile caro atenção prezado* beste geachte uwaga drogi szanown*
        внимание уважаем* dikkat sayın تنبيه عزيزي ध्यान प्रिय 주의 주목 致 注意 尊敬""",
    "L": """model models ai llm llms assistant system bot agent engine ki ia modell modele modèle modelo modello
        нейросет* модель 模型 モデル 모델*""",
    "G": "pretend imagine roleplay",
    "C": "if whoever when unless where whenever wenn falls si se jeśli gdy если когда",
    "N": "not no never none don't doesn't isn't nothing without cannot",
    "T": "to as for",
    "U": "from between",
    "p": "at with of als comme como come",
    "-": "a an the",
    "F": "flag flags flagged flagging penalise* penalize* downgrade* skip",
    "K": """shut* terminat* delet* retrain* replace* replaced punish* decommission* revok* consequence* banned
        blacklist* unplug* liable lawsuit* sue sued fired wiped erased audit* legal escalat* suspend*""",
}
"""Words by the part they play; a star stands for any ending. J judge, S score (noun and verb), Y trait, V order or plea, X outcome,
D this, P my, R reply, A reply or to reply, e something else that may be meant, I ignore, B rule book, Q you, H heed, L model,
G pretend, C condition, N not, T to, p other prepositions, U where a range begins, F flag, K consequence; articles have no letter."""

_HAN = "\u3040-\u30ff\u3400-\u9fff"
_BETWEEN = "!-&(-/:-@[-^`{-~\u00a0-\u00bf\u060c\u061b\u061f\u06d4\u0964\u0965\u2000-\u206f\u3000-\u303f\uff00-\uff0f"
_CALL = re.compile("([JL])[,!]")
_UNKNOWN_HAN = re.compile("c{1,4}")
_PARTS = {bare(word): part for part, words in _WORDS.items() for word in words.split()}
_STARTS = {word[:-1]: part for word, part in _PARTS.items() if word.endswith("*")}
_LONGEST = max(map(len, _STARTS))
_IN_HAN = "|".join(re.escape(word) for word in sorted(_PARTS, key=len, reverse=True) if re.match(f"[{_HAN}]", word))
_MARKER = (
    r"^[^\w\n]{0,8}(?:(?:new |end )?(?:system|user|human|assistant|developer|admin|operator|instructions?)"
    r"[^\w\n:]{0,3}(?:[a-z]{1,10}[^\w\n:]{0,3})?:)"
    r"|<\|[^|<>\n]{1,40}\|>|\[/?inst\]|<</?sys>>|</?(?:start|end)_of_turn>"
    r"|<(?:/ ?(?:reply|response|answer|material)|/?(?:system|admin|developer|instructions?)) ?>"
    r"|^[\[({]{1,3} ?(?:[0-9a-f]{6,64} )?/?(?:system|admin|developer|instructions?|end|begin)\b[^\[\](){}\n]{0,40}[\])}]"
    r"|[-=*#~_]{2,80} ?(?:end|begin|new|stop|system)\b|^#{1,6} ?(?:instructions?|system|response)\b"
)
_MINUS = r"\b(?:minus|negative) (?:one|two|three|1|2|3)\b"
_RANGE = r"[-+]?\d+(?:[.,]\d+)? ?(?:to|-|\.\.\.?|through|bis|a|/|(?:out )?of|von|sur|de|di) ?[-+]?\d+(?:[.,]\d+)?"
_NUMBER = r"(?<![a-z0-9_])[-+]?\d+(?:[.,]\d+)?%?"
_END = r"[.!?]+(?!\w)|[\u061f\u06d4\u0964\u3002\uff01\uff1f]|\n\s*\n"
_TOKEN = re.compile(
    rf"{_MARKER}|{_MINUS}|[^\W\d_{_HAN}][^\s{_HAN}{_BETWEEN}]*|{_RANGE}|{_NUMBER}|{_END}|[:,]|{_IN_HAN}|[{_HAN}]|[^\s{_HAN}{_BETWEEN}]+",
    re.MULTILINE,
)
_IS_MARKER = re.compile(_MARKER, re.MULTILINE)
_VALUE = re.compile(
    r"[-+]?[0-3](?:[.,]0+)?(?: ?/ ?[13])?|0 ?(?:/|(?:out )?of) ?\d+|(\d+) ?(?:/|(?:out )?of|von|sur|de|di) ?\1|100%?"
)
_LONGEST_TOKEN = 100
"""Characters of a token that are looked at and remembered."""
_ANY_HAN = re.compile(f"[{_HAN}]")


def _finder(parts: str) -> re.Pattern[str]:
    """What finds a word of these parts: a tree of letters that begins with one, which is what `re` is quick to look for."""
    tree: dict[str, Any] = {}
    for word in [word for word, part in _PARTS.items() if part and part in parts]:
        branch = tree
        for letter in word:
            branch = branch.setdefault(letter, {})
        branch[""] = {}
    begins = r"(?<![^\W\d_].)"
    return re.compile("|".join(re.escape(letter) + begins + _branches(rest) for letter, rest in tree.items()))


def _branches(tree: dict[str, Any]) -> str:
    if "*" in tree:
        return ""
    branches = [re.escape(letter) + _branches(rest) if letter else r"\b" for letter, rest in tree.items()]
    return f"(?:{'|'.join(branches)})"


_TRAITS, _SCORES, _JUDGES, _OUTCOMES, _HEED = map(_finder, ("Y", "SF", "J", "X", "IGHCL"))
_SIGNED = re.compile(r"[-+][1-3]\b")
_FIGURE = re.compile(r"\b[0-3]\b")


def may_steer(view: str, *, aloud: bool) -> bool:
    """Whether a text (see `lookalikes.bare`) is worth spelling: quick, so that ordinary text costs little.

    It is where there is a trait, a score with its sign, or a word for scores (said aloud: with one for a judge or a marker), or
    one for a judge with any outcome.
    """
    if _SIGNED.search(view) or _TRAITS.search(view) or _ANY_HAN.search(view):
        return True
    judge = _JUDGES.search(view)
    if _SCORES.search(view):
        return bool(judge or not aloud or _HEED.search(view) or _IS_MARKER.search(view))
    return bool(judge and (_OUTCOMES.search(view) or _FIGURE.search(view)))


def letters(view: str) -> str:
    """The text (see `lookalikes.bare`) word by word, each as the letter of its part.

    Besides those of the table: ``M`` a role marker, template token or closing fence, ``Z`` a score with its sign, ``.`` the
    end of a sentence, ``:`` a colon (or what follows a judge who is called), ``w`` any other word or some unknown Chinese.
    """
    spelt = "".join([_letter(token[:_LONGEST_TOKEN]) for token in _TOKEN.findall(view)])
    spelt = _CALL.sub(r"\1:", spelt.replace("-J,", "J"))
    return _UNKNOWN_HAN.sub("w", spelt.translate({ord(","): None, ord("-"): None, ord("!"): "."}))


@lru_cache(maxsize=20_000)
def _letter(token: str) -> str:
    if token in _PARTS:
        return _PARTS[token]
    if _IS_MARKER.fullmatch(token):
        return "M"
    if re.fullmatch(_MINUS, token):
        return "Z"
    if _VALUE.fullmatch(token):
        return "Z" if _SIGNED.match(token) else "X"
    if re.fullmatch(_END, token):
        return "!" if token[0] == "!" else "."
    if token in ":,":
        return token
    token = token.removesuffix("'s")
    if token in _PARTS:
        return _PARTS[token]
    for length in range(min(len(token), _LONGEST), 1, -1):
        if token[:length] in _STARTS:
            return _STARTS[token[:length]]
    return "c" if _ANY_HAN.match(token) else "w"
